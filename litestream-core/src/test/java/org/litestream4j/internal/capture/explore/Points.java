package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;
import org.litestream4j.testing.FaultyFiles;

/**
 * The places inside a step of the engine at which others may come in: before each SQL statement of its connections that takes a
 * lock, gives one back, asks or copies; before each read of the database file or the WAL; before its local state changes. They are
 * counted from 0 in each step.
 */
final class Points {

    /** Statements before which nothing can happen that matters are left out. */
    private static final Pattern STATEMENTS = Pattern.compile(
            "(?i).*(IMMEDIATE|COMMIT|ROLLBACK|schema_version|page_count|wal_checkpoint|sqlite_schema).*");

    private static final String READ = "read";

    /** What happens at a point. */
    @FunctionalInterface
    interface Player {
        void play(Action action) throws IOException, Violation;
    }

    /** The process was killed at a point: nothing of the step goes on. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("killed", null, false, false);
        }
    }

    /** What happened at a point failed, which ends the sequence. */
    static final class Failed extends Error {
        private static final long serialVersionUID = 1L;

        Failed(Exception cause) {
            super(cause);
        }
    }

    private final Player player;
    private final FaultyFiles databaseFiles = new FaultyFiles(1);
    private final FaultyFiles localFiles = new FaultyFiles(1);
    private final Deque<Move> waiting = new ArrayDeque<>();
    private final List<String> passed = new ArrayList<>();
    private boolean active;

    Points(Player player) {
        this.player = player;
        databaseFiles.beforeRead(at -> {
            boolean goesOn =
                    at > 0 && !passed.isEmpty() && passed.get(passed.size() - 1).equals(READ);
            if (!goesOn) { // nothing but reads since the last point
                reached(at > 0 ? READ : "read header");
            }
        });
        localFiles.beforeCall(call -> {
            if (call == FaultyFiles.Call.FORCE || call == FaultyFiles.Call.MOVE) {
                reached("local " + call);
            }
        });
    }

    /** The database as the engine gets it. */
    Path database(Path real) {
        return databaseFiles.path(real);
    }

    /** The local state as the engine gets it. */
    Path local(Path real) {
        return localFiles.path(real);
    }

    /** The action comes when the next step reaches its point. */
    void schedule(Move move) {
        waiting.add(move);
    }

    /** The engine's next step begins. */
    void begin() {
        passed.clear();
        active = true;
    }

    /** What the step did not reach is dropped. */
    void end() {
        active = false;
        waiting.clear();
    }

    /** Those of the last step. */
    List<String> passed() {
        return passed;
    }

    private void reached(String what) {
        if (!active) {
            return;
        }
        while (!waiting.isEmpty() && waiting.peek().at() <= passed.size()) {
            Move move = waiting.remove();
            active = false;
            try {
                player.play(move.action());
            } catch (IOException | Violation e) {
                throw new Failed(e);
            }
            active = true;
        }
        passed.add(what);
    }

    /** A connection of the engine. */
    Connection watch(Connection connection) {
        return proxy(Connection.class, (self, method, arguments) -> {
            Object result = invoke(connection, method, arguments);
            if (result instanceof PreparedStatement statement) {
                String sql = (String) arguments[0];
                return proxy(PreparedStatement.class, (own, called, with) -> {
                    if (called.getName().startsWith("execute")) {
                        reachedStatement(sql);
                    }
                    return invoke(statement, called, with);
                });
            }
            if (result instanceof Statement statement) {
                return proxy(Statement.class, (own, called, with) -> {
                    if (called.getName().startsWith("execute") && with != null) {
                        reachedStatement((String) with[0]);
                    }
                    return invoke(statement, called, with);
                });
            }
            return result;
        });
    }

    private void reachedStatement(String sql) {
        if (STATEMENTS.matcher(sql).matches()) {
            reached(sql);
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(Points.class.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
