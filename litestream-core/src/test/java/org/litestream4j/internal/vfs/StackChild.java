package org.litestream4j.internal.vfs;

import com.sun.jna.Native;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Queries while a StackOverflowError unwinds: the first ones have too little stack for a callback. Prints how many
 * were answered neither right nor by an error of reading.
 */
final class StackChild {

    private static final String QUERY =
            "SELECT count(*), sum(a), sum(length(b)), sum(b LIKE 'row ' || a || ' %') FROM t";

    private final boolean isProbed;
    private final int rounds;
    private String expected = "";
    private int right;
    private int errors;
    private int wrong;
    private String lastWrong = "";
    private int overflows;

    private StackChild(boolean isProbed, int rounds) {
        this.isProbed = isProbed;
        this.rounds = rounds;
    }

    public static void main(String[] args) throws Exception {
        Native.setCallbackExceptionHandler((callback, e) -> {});
        boolean isChecked = args[0].equals("checked");
        String name = "litestream-child";
        ReplicaVfs vfs = VfsFixture.vfs(name, isChecked, new PageOne());
        StackProbe.beginGuarding(); // or the VFS refuses
        new StackChild(args[0].equals("probed"), Integer.parseInt(args[2])).run(vfs, name, Path.of(args[1]));
    }

    private void run(ReplicaVfs vfs, String name, Path file) throws Exception {
        States states = new States();
        try (Connection primary = VfsFixture.primary(file, 3_000)) {
            states.add(primary);
            expected = VfsFixture.rows(primary, QUERY);
        }
        String url = VfsFixture.register(vfs, name, states.database());
        for (int i = 0; i < rounds && wrong == 0; i++) {
            Connection connection = VfsFixture.open(url);
            VfsFixture.execute(connection, "PRAGMA cache_size=10");
            ask(connection); // loads the classes, and leaves other pages in the buffers
            try {
                VfsFixture.rows(connection, "SELECT nothing");
            } catch (SQLException e) {
                errors++;
            }
            Thread thread = new Thread(null, () -> descendGuarded(connection), "exhausted", 1 << 20);
            thread.start();
            thread.join();
            try {
                connection.close();
            } catch (SQLException e) { // the driver lost a statement when the stack was exhausted
                errors++;
            }
        }
        System.out.println("ended: " + right + " right, " + errors + " errors, " + overflows + " StackOverflowErrors, "
                + wrong + " wrong: " + lastWrong);
        Runtime.getRuntime().halt(0);
    }

    private void descendGuarded(Connection connection) {
        StackProbe.beginGuarding();
        descend(connection);
    }

    /** Asks in each frame on the way up, until there is stack enough for a right answer. */
    @SuppressWarnings("InfiniteRecursion") // until the stack is exhausted
    private void descend(Connection connection) {
        int before = right;
        try {
            descend(connection);
        } catch (StackOverflowError e) {
            before = right;
            overflows++;
        }
        if (right == before && wrong == 0) {
            if (isProbed) {
                StackProbe.probe();
            }
            ask(connection); // overflows again in the deepest frames
        }
    }

    private void ask(Connection connection) {
        try (PreparedStatement statement = connection.prepareStatement(QUERY);
                ResultSet row = statement.executeQuery()) {
            String answer = row.getString(1) + "|" + row.getString(2) + "|" + row.getString(3) + "|" + row.getString(4);
            if (answer.equals(expected)) {
                right++;
            } else {
                wrong(answer + " instead of " + expected);
            }
        } catch (SQLException e) {
            errors++;
            String message = String.valueOf(e.getMessage());
            if (message.contains("IOERR") || message.contains("memory")) {
                System.out.println(message);
            } else {
                wrong(message);
            }
        }
    }

    /** Counts an answer; the stack may not suffice to print it. */
    private void wrong(String answer) {
        wrong++;
        lastWrong = answer;
    }
}
