package org.litestream4j.internal.capture.explore;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.EngineUnderTest;
import org.litestream4j.internal.capture.explore.Violation.Kind;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;

/**
 * One database with all that use it, during one sequence: the application with the engine in this process, a foreign process,
 * the replica, and what SQLite counted as committed.
 *
 * <p>The whole of the sequence is played by one thread. A killed process is one whose connections are closed while another process
 * holds SQLite's shared lock on the database: then SQLite neither checkpoints nor deletes anything, and all is as a kill leaves it.
 */
final class World implements Closeable {

    private static final int ATTEMPTS = 8;

    private final Path folder;
    private final Path database;
    private final Path wal;
    private final Parties parties;
    private final HeldTimes times;
    private final Content content;
    private final Client app;
    private final Client foreign;
    private final Points points;
    private final Lane lane;
    private final Damage damage;

    /** What SQLite counted when the engine's reader began, if {@link #observe states} are asked for. */
    private String engineMark = "";

    private boolean observed;

    /** Whether the engine has forgotten what could tell it that the database was overwritten: nothing is promised any more. */
    private boolean unnoticed;

    /** Whether a lock is held for what is being killed. */
    private boolean guarded;

    private String action = "";

    /**
     * @param folder where nothing is
     * @param template content of the database
     * @param rules how it is played
     */
    World(Path folder, byte[] template, Parties parties, Rules rules) throws IOException {
        this.folder = folder;
        this.database = folder.resolve("db");
        this.wal = folder.resolve("db-wal");
        this.parties = parties;
        Files.createDirectories(folder);
        Files.write(database, template);
        this.times = new HeldTimes(folder, rules.held());
        this.content = new Content(database, template);
        this.app = new Client(new Connections(), database, wal, content);
        this.foreign = new Client(parties.foreign(), database, wal, content);
        this.points = new Points(this::comeBetween);
        this.damage = new Damage(database, wal);
        EngineUnderTest.viewTimes(times);
        EngineUnderTest.viewConnections(points::watch);
        Random random = new Random(1);
        EngineUnderTest.sample(bound -> random.nextInt(Math.toIntExact(bound)));
        Clock clock = Clock.fixed(Instant.ofEpochSecond(1_800_000_000L), ZoneOffset.UTC);
        EngineUnderTest engine = new EngineUnderTest(
                points.database(database), points.local(folder.resolve("meta")), clock, rules.checksums());
        engine.holdTime();
        this.lane = new Lane(engine, content);
    }

    /**
     * How sequences are played.
     *
     * @param held whether the times of files show only that of the last tick
     * @param checksums as for {@link EngineUnderTest}
     */
    record Rules(boolean held, boolean checksums) {}

    EngineUnderTest engine() {
        return lane.engine();
    }

    Lane lane() {
        return lane;
    }

    Client app() {
        return app;
    }

    Client foreign() {
        return foreign;
    }

    Points points() {
        return points;
    }

    String action() {
        return action;
    }

    /** Whether any process has the database open. */
    boolean isInUse() {
        return app.isOpen() || foreign.isOpen() || engine().isAttached() || engine().hasImage();
    }

    boolean isTimeHeld() {
        return times.isHeld();
    }

    /** Whether the engine can notice it. */
    boolean canBeOverwritten() {
        return engine().knowsChecksums() && !app.isWriting() && !content.isUnsure();
    }

    /** Plays a move if it is possible now; one that comes between waits for the engine's next step. */
    boolean play(Move move) throws IOException, Violation {
        if (move.isAlone()) {
            return play(move.action());
        }
        points.schedule(move);
        return true;
    }

    private boolean play(Action next) throws IOException, Violation {
        if (unnoticed || !next.isPossible(this)) {
            return false;
        }
        action = next.token();
        try {
            if (next.isOfEngine()) {
                points.begin();
                next.play(this);
                points.end();
                endKilled();
                mark();
            } else {
                next.play(this);
            }
            if (content.isDoubtful() && isInUse()) {
                content.settleDoubt(lane.replica().hash());
                unnoticed |= content.isDoubtful() && !engine().knowsChecksums() && !lane.isLost();
            }
        } catch (RuntimeException e) {
            throw new Violation(Kind.UNEXPECTED, action + ": " + e, e);
        }
        return true;
    }

    /** In the middle of a step of the engine. */
    private void comeBetween(Action next) throws IOException, Violation {
        if (next == Action.KILL) {
            guard();
            throw new Points.Killed();
        }
        if (!next.isOfEngine() && next.isPossible(this)) {
            String outer = action;
            action = next.token() + " within " + outer;
            next.play(this);
            action = outer;
        }
    }

    private void guard() throws IOException {
        if (!foreign.isOpen()) {
            parties.helper().obey("guard " + database);
            guarded = true;
        }
    }

    private void unguard() throws IOException {
        if (guarded) {
            parties.helper().obey("unguard");
            guarded = false;
        }
    }

    /** Whether {@link #state} will be asked for. */
    void observe(boolean value) {
        observed = value;
    }

    /** The engine's reader may be a new one. */
    private void mark() throws IOException {
        engineMark = observed && engine().isAttached() ? content.counts() : "";
    }

    // Actions that concern more than one.

    Client opened(Client client) throws IOException {
        client.open(!isInUse(), action);
        return client;
    }

    void killForeign() throws IOException {
        if (app.isOpen() || engine().isAttached() || engine().hasImage()) {
            foreign.close();
        } else {
            Party guardian = parties.guardianOfForeign();
            guardian.obey("guard " + database);
            foreign.close();
            guardian.obey("unguard");
        }
    }

    void attach() throws IOException, Violation {
        boolean first = !isInUse();
        if (first && content.isUnsure()) {
            points.end(); // what SQLite finds is noted afterwards
        }
        lane.attach(first, action);
    }

    /** Kills this process: application and engine. */
    void kill() throws IOException {
        guard();
        lane.end();
        app.close();
        unguard();
    }

    /** After a step in which the process may have been killed. */
    private void endKilled() throws IOException {
        if (lane.takeKilled()) {
            app.close();
            unguard();
        }
    }

    void overwrite() throws IOException {
        if (damage.overwritePage()) {
            content.overwritten(action);
        }
    }

    void cutPower() throws IOException {
        if (damage.tearFrame()) {
            content.becameUnsure();
        }
    }

    void tick() throws IOException {
        times.tick();
    }

    /**
     * Lets everything end that is in the way, drives the engine on until it says that everything is captured, goes on writing,
     * and takes a snapshot.
     */
    void settle() throws IOException, Violation {
        points.end();
        action = "settling";
        app.endWrite(action);
        app.endRead();
        foreign.endRead();
        if (unnoticed) {
            return;
        }
        if (engine().hasImage()) {
            lane.writeImage();
        }
        driveOn();
        action = "last write";
        opened(app).write("one", action);
        driveOn();
        action = "snapshot";
        IOException failure = null;
        for (int attempt = 1; !isSnapshotTaken(); attempt++) {
            failure = lane.takeFailure();
            if (attempt == ATTEMPTS) {
                throw new Violation(Kind.STUCK, "no snapshot can be taken: " + failure, failure);
            }
            driveOn();
        }
        content.settleDoubt(lane.replica().hash());
        if (content.isDoubtful()) {
            throw new Violation(Kind.LOST, "nobody noticed that the database was overwritten");
        }
        if (!content.peek().equals(content.history().current())) {
            throw new Violation(Kind.UNEXPECTED, "SQLite shows what the exploration did not see committed");
        }
    }

    private boolean isSnapshotTaken() throws IOException, Violation {
        lane.openImage(action);
        return engine().hasImage() && lane.writeImage();
    }

    /** As the capture lane does, until everything is captured. */
    private void driveOn() throws IOException, Violation {
        IOException failure = null;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            tick();
            lane.takeFailure();
            for (Action next : new Action[] {Action.ATTACH, Action.JUDGE, Action.IMAGE, Action.CAPTURE}) {
                if (next.isPossible(this) && !lane.hasFailed()) {
                    next.play(this);
                }
            }
            if (!lane.hasFailed() && engine().isContinuous()) {
                return;
            }
            failure = lane.takeFailure();
        }
        throw new Violation(Kind.STUCK, "capturing does not go on: " + failure, failure);
    }

    /** What decides how it goes on, as far as it can be seen from outside; a hash of two equal ones may be compared. */
    String state() throws IOException {
        StringBuilder text = new StringBuilder();
        WalHeader header = null;
        try (WalFile file = WalFile.open(wal)) {
            Optional<WalHeader> present = file.header();
            header = present.orElse(null);
            text.append(file.scan(WalPosition.NONE, Long.MAX_VALUE).end().offset());
            text.append('/').append(Files.size(wal));
        } catch (NoSuchFileException e) {
            text.append("no wal");
        }
        text.append(' ').append(Files.size(database)).append(' ');
        text.append(isInUse() ? content.counts() : "").append(content.state());
        text.append(app.state()).append('/').append(foreign.state()).append('/');
        text.append(engineMark).append(' ').append(lane.replica().lag()).append(' ');
        return text + engine().state(header);
    }

    @Override
    public void close() throws IOException {
        points.end();
        lane.end();
        app.close();
        foreign.close();
        unguard();
        damage.close();
        EngineUnderTest.viewNothing();
        delete(folder);
    }

    /** Why the engine gave continuity up, each time. */
    List<String> losses() {
        return lane.losses();
    }

    /** Of the last step that failed. */
    String failure() {
        @Nullable IOException failed = lane.takeFailure();
        return failed == null ? "" : " " + failed;
    }

    private static void delete(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
                for (Path child : children) {
                    delete(child);
                }
            }
        }
        Files.deleteIfExists(path);
    }
}
