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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.EngineUnderTest;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.capture.explore.Violation.Kind;
import org.litestream4j.internal.wal.WalFile;
import org.litestream4j.internal.wal.WalHeader;
import org.litestream4j.internal.wal.WalPosition;

/**
 * One database with all that use it, during one sequence: the application with the engine in this process, a foreign process,
 * the replica, and what SQLite counted as committed. After each step of the engine its files are uploaded and judged.
 *
 * <p>The whole of the sequence is played by one thread. A killed process is one whose connections are closed while somebody else
 * holds SQLite's shared lock on the database: then SQLite neither checkpoints nor deletes anything, and all is as a kill leaves it.
 */
final class World implements Closeable {

    private static final int ATTEMPTS = 8;

    private final Path folder;
    private final Path database;
    private final Path wal;
    private final Connections app = new Connections();
    private final Party foreign;
    private final HeldTimes times;
    private final boolean held;
    private final EngineUnderTest engine;
    private final History history = new History();
    private final Replica replica = new Replica(history);

    private boolean appOpen;
    private boolean appReads;
    private boolean appWrites;
    private boolean foreignOpen;
    private boolean foreignReads;
    private boolean phantoms;
    private int number;

    /** What SQLite counted when the readers began. */
    private String appMark = "";

    private String foreignMark = "";
    private String engineMark = "";
    private boolean observed;

    /** Whether the engine has found that continuity was lost, and no image followed yet. */
    private boolean lost;

    private final List<String> losses = new ArrayList<>();
    private @Nullable IOException lastFailure;

    /** What the image that is open holds still; empty if there is none. */
    private String imageHash = "";

    private String action = "";

    /**
     * @param folder where nothing is
     * @param template content of the database
     * @param held whether the times of files show only that of the last tick
     * @param checksums as for {@link EngineUnderTest}
     */
    World(Path folder, byte[] template, Party foreign, boolean held, boolean checksums) throws IOException {
        this.folder = folder;
        this.database = folder.resolve("db");
        this.wal = folder.resolve("db-wal");
        this.foreign = foreign;
        Files.createDirectories(folder);
        Files.write(database, template);
        this.times = new HeldTimes(folder);
        this.held = held;
        if (held) {
            EngineUnderTest.viewTimes(times);
        } else {
            EngineUnderTest.viewTimes();
        }
        Clock clock = Clock.fixed(Instant.ofEpochSecond(1_800_000_000L), ZoneOffset.UTC);
        this.engine = new EngineUnderTest(database, folder.resolve("meta"), clock, checksums);
        engine.holdTime();
        history.add(Pages.hash(template), "start");
    }

    EngineUnderTest engine() {
        return engine;
    }

    boolean isAppOpen() {
        return appOpen;
    }

    boolean isAppReading() {
        return appReads;
    }

    boolean isAppWriting() {
        return appWrites;
    }

    boolean isForeignOpen() {
        return foreignOpen;
    }

    boolean isForeignReading() {
        return foreignReads;
    }

    /** Whether any process has the database open. */
    boolean isInUse() {
        return appOpen || foreignOpen || engine.isAttached() || engine.hasImage();
    }

    /** Plays an action if it is possible now. */
    boolean play(Action next) throws IOException, Violation {
        if (!next.isPossible(this)) {
            return false;
        }
        action = next.token();
        try {
            next.play(this);
        } catch (RuntimeException e) {
            throw new Violation(Kind.UNEXPECTED, action + ": " + e, e);
        }
        return true;
    }

    boolean isTimeHeld() {
        return held;
    }

    /** Whether {@link #state} will be asked for. */
    void observe(boolean value) {
        observed = value;
    }

    private String counts() throws IOException {
        return new Connections().obey("counts " + database);
    }

    // The application, in the engine's process.

    void openApp() throws IOException {
        if (!appOpen) {
            boolean first = !isInUse();
            appOpen = app.obey("open " + database).equals(Connections.OK);
            if (appOpen && first) {
                noteRecovered();
            }
        }
    }

    void appWrite(String kind) throws IOException {
        openApp();
        if (appOpen) {
            commit(app.obey("write " + kind + " " + ++number));
        }
    }

    void beginAppRead() throws IOException {
        openApp();
        if (appOpen) {
            appMark = app.obey("begin-read");
            appReads = !appMark.equals(Connections.BUSY);
        }
    }

    void endAppRead() throws IOException {
        app.obey("end-read");
        appReads = false;
    }

    void beginAppWrite() throws IOException {
        openApp();
        appWrites = appOpen && app.obey("begin-write " + ++number).equals(Connections.OK);
    }

    void endAppWrite() throws IOException {
        commit(app.obey("end-write"));
        appWrites = false;
    }

    void closeApp() throws IOException {
        app.obey("close");
        appOpen = false;
        appReads = false;
        appWrites = false;
    }

    void appCheckpoint(String mode) throws IOException {
        openApp();
        if (appOpen) {
            app.obey("checkpoint " + mode);
        }
    }

    void appPhantom() throws IOException {
        openApp();
        if (appOpen) {
            phantom(app);
        }
    }

    // The foreign process.

    void openForeign() throws IOException {
        if (!foreignOpen) {
            boolean first = !isInUse();
            foreignOpen = foreign.obey("open " + database).equals(Connections.OK);
            if (foreignOpen && first) {
                noteRecovered();
            }
        }
    }

    void foreignWrite(String kind) throws IOException {
        openForeign();
        if (foreignOpen) {
            commit(foreign.obey("write " + kind + " " + ++number));
        }
    }

    void beginForeignRead() throws IOException {
        openForeign();
        if (foreignOpen) {
            foreignMark = foreign.obey("begin-read");
            foreignReads = !foreignMark.equals(Connections.BUSY);
        }
    }

    void endForeignRead() throws IOException {
        foreign.obey("end-read");
        foreignReads = false;
    }

    void foreignCheckpoint(String mode) throws IOException {
        openForeign();
        if (foreignOpen) {
            foreign.obey("checkpoint " + mode);
        }
    }

    void foreignPhantom() throws IOException {
        openForeign();
        if (foreignOpen) {
            phantom(foreign);
        }
    }

    void closeForeign() throws IOException {
        if (foreignOpen) {
            foreign.obey("close");
        }
        foreignOpen = false;
        foreignReads = false;
    }

    void killForeign() throws IOException {
        if (appOpen || engine.isAttached() || engine.hasImage()) {
            closeForeign();
        } else {
            Connections guardian = new Connections();
            guardian.obey("guard " + database);
            closeForeign();
            guardian.obey("unguard");
        }
    }

    private void phantom(Party party) throws IOException {
        String answer = party.obey("phantom " + ++number);
        if (!answer.equals(Connections.BUSY)) {
            String[] counts = answer.split(" ", -1);
            phantoms |= PhantomCommit.forge(wal, Long.parseLong(counts[0]), Integer.parseInt(counts[1]));
        }
    }

    private void commit(String hashes) {
        if (!hashes.equals(Connections.BUSY)) {
            for (String hash : hashes.split(" ", -1)) {
                history.add(hash, action + " " + number);
            }
        }
    }

    /** Who opens a database that nobody has open counts what the WAL has: the commit of a killed writer, too. */
    private void noteRecovered() throws IOException {
        if (phantoms) {
            history.add(new Connections().obey("peek " + database), action + ", recovered");
            phantoms = false;
        }
    }

    // The engine.

    void attach() throws Violation {
        boolean first = !isInUse();
        step(engine::attach);
        if (engine.isAttached() && first) {
            try {
                noteRecovered();
            } catch (IOException e) {
                throw new Violation(Kind.UNEXPECTED, "cannot look", e);
            }
        }
        mark();
    }

    /** The engine's reader may be a new one. */
    private void mark() throws Violation {
        try {
            engineMark = observed && engine.isAttached() ? counts() : "";
        } catch (IOException e) {
            throw new Violation(Kind.UNEXPECTED, "cannot count", e);
        }
    }

    void judge() throws Violation {
        if (step(engine::judge) && engine.isContinuous()) {
            if (lost) {
                throw new Violation(Kind.UNEXPECTED, "continuity was lost, and is proven without an image");
            }
            replica.requireCurrent(action);
        }
    }

    void image() throws Violation {
        if (step(() -> engine.image(replica.newest()))) {
            lost = false;
            replica.requireCurrent(action);
        }
    }

    void capture() throws Violation {
        if (step(engine::capture)) {
            replica.requireCurrent(action);
        }
    }

    void look() throws Violation {
        boolean[] more = new boolean[1];
        if (step(() -> more[0] = engine.hasMore()) && !more[0]) {
            replica.requireCurrent(action);
        }
    }

    /** @param later whether everything that is only done from time to time is due */
    void checkpoint(boolean later) throws Violation {
        step(() -> engine.checkpoint(later));
        mark();
    }

    void checkpointNow() throws Violation {
        step(engine::checkpointNow);
        mark();
    }

    void checkpointUncaptured() throws Violation {
        step(engine::checkpointUncaptured);
        mark();
    }

    void openImage() throws Violation {
        if (step(engine::openImage)) {
            replica.requireCurrent(action);
            imageHash = replica.hash();
        }
    }

    boolean writeImage() throws Violation {
        Path[] snapshot = new Path[1];
        String expected = imageHash;
        if (step(() -> snapshot[0] = engine.writeImage()) && snapshot[0] != null) {
            String found = hashOf(snapshot[0]);
            if (!found.equals(expected)) {
                throw new Violation(
                        Kind.WRONG_SNAPSHOT,
                        "the snapshot of " + EngineUnderTest.newestOf(snapshot[0]) + " is " + history.describe(found)
                                + ", not " + history.describe(expected));
            }
            return true;
        }
        return false;
    }

    private static String hashOf(Path snapshot) throws Violation {
        try {
            Pages pages = new Pages();
            pages.apply(snapshot);
            return pages.hash();
        } catch (IOException e) {
            throw new Violation(Kind.WRONG_SNAPSHOT, "cannot be read: " + snapshot, e);
        }
    }

    void pause() throws Violation {
        if (finish()) {
            step(engine::pause);
        }
    }

    void stop() throws Violation {
        step(engine::closeImage);
        finish();
        step(engine::end);
    }

    private boolean finish() throws Violation {
        boolean[] captured = new boolean[1];
        boolean done = step(() -> captured[0] = engine.finish());
        if (done && captured[0]) {
            replica.requireCurrent(action);
        }
        return done;
    }

    /** Kills this process: application and engine. */
    void kill() throws IOException {
        if (!foreignOpen) {
            foreign.obey("guard " + database);
        }
        engine.closeImage();
        engine.end();
        closeApp();
        if (!foreignOpen) {
            foreign.obey("unguard");
        }
    }

    void tick() throws IOException {
        if (held) {
            times.tick();
        }
    }

    /** False if it failed, which it may; what it captured is uploaded either way. */
    private boolean step(Step step) throws Violation {
        boolean done = false;
        try {
            step.run();
            done = true;
        } catch (LostContinuityException e) {
            lost = true;
            losses.add(String.valueOf(e.getMessage()));
            lastFailure = e;
        } catch (IOException e) {
            lastFailure = e;
        }
        replica.takeFrom(engine);
        return done;
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /**
     * Lets everything end that is in the way, drives the engine on until it says that everything is captured, goes on writing,
     * and takes a snapshot.
     */
    void settle() throws IOException, Violation {
        action = "settling";
        if (appWrites) {
            endAppWrite();
        }
        if (appReads) {
            endAppRead();
        }
        if (foreignReads) {
            endForeignRead();
        }
        engine.closeImage();
        driveOn();
        action = "last write";
        appWrite("one");
        driveOn();
        action = "snapshot";
        for (int attempt = 1; !isSnapshotTaken(); attempt++) {
            if (attempt == ATTEMPTS) {
                throw new Violation(Kind.STUCK, "no snapshot can be taken: " + lastFailure, lastFailure);
            }
            driveOn();
        }
        String shown = app.obey("hash");
        if (!shown.equals(history.current())) {
            throw new Violation(Kind.UNEXPECTED, "SQLite shows what the exploration did not see committed");
        }
    }

    private boolean isSnapshotTaken() throws Violation {
        openImage();
        return engine.hasImage() && writeImage();
    }

    /** As the capture lane does, until everything is captured. */
    private void driveOn() throws IOException, Violation {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            tick();
            lastFailure = null;
            for (Action next : new Action[] {Action.ATTACH, Action.JUDGE, Action.IMAGE, Action.CAPTURE}) {
                if (next.isPossible(this) && lastFailure == null) {
                    next.play(this);
                }
            }
            if (lastFailure == null && engine.isContinuous()) {
                return;
            }
        }
        throw new Violation(Kind.STUCK, "capturing does not go on: " + lastFailure, lastFailure);
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
        if (isInUse()) {
            text.append(counts());
        }
        text.append(appOpen)
                .append(appReads)
                .append(appWrites)
                .append(foreignOpen)
                .append(foreignReads)
                .append(phantoms);
        text.append(appReads ? appMark : "")
                .append('/')
                .append(foreignReads ? foreignMark : "")
                .append('/');
        text.append(engineMark).append(' ').append(replica.lag()).append(' ');
        return text + engine.state(header);
    }

    @Override
    public void close() throws IOException {
        engine.closeImage();
        engine.end();
        closeApp();
        closeForeign();
        EngineUnderTest.viewTimes();
        delete(folder);
    }

    /** Why the engine gave continuity up, each time. */
    List<String> losses() {
        return losses;
    }

    /** Of the last step that failed. */
    String failure() {
        IOException failed = lastFailure;
        lastFailure = null;
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
