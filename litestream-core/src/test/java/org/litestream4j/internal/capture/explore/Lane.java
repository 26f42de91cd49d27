package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.EngineUnderTest;
import org.litestream4j.internal.capture.LostContinuityException;
import org.litestream4j.internal.capture.explore.Violation.Kind;

/** The steps of the engine, as the capture lane takes them. After each, what was captured is uploaded and judged. */
final class Lane {

    private final EngineUnderTest engine;
    private final Content content;
    private final Replica replica;

    /** Whether the engine has found that continuity was lost, and no image followed yet. */
    private boolean lost;

    /** Whether the process was killed in the middle of a step, and the rest of it is open still. */
    private boolean killed;

    private final List<String> losses = new ArrayList<>();
    private @Nullable IOException lastFailure;

    /** What the image that is open holds still; empty if there is none. */
    private String imageHash = "";

    Lane(EngineUnderTest engine, Content content) {
        this.engine = engine;
        this.content = content;
        this.replica = new Replica(content);
    }

    EngineUnderTest engine() {
        return engine;
    }

    Replica replica() {
        return replica;
    }

    /** @param first whether nobody has the database open */
    void attach(boolean first, String action) throws IOException, Violation {
        step(engine::attach);
        if (engine.isAttached() && first) {
            content.recovered(action);
        }
    }

    void establishContinuity(String action) throws IOException, Violation {
        int before = content.history().place();
        if (step(engine::establishContinuity) && engine.isContinuous()) {
            if (lost) {
                throw new Violation(Kind.UNEXPECTED, "continuity was lost, and is proven without an image");
            }
            replica.requireNotBefore(before, action);
        }
    }

    void image(String action) throws IOException, Violation {
        int before = content.history().place();
        if (step(() -> engine.image(replica.newest()))) {
            lost = false;
            replica.requireNotBefore(before, action);
        }
    }

    void capture(String action) throws IOException, Violation {
        int before = content.history().place();
        if (step(engine::capture)) {
            replica.requireNotBefore(before, action);
        }
    }

    void look(String action) throws IOException, Violation {
        int before = content.history().place();
        boolean[] more = new boolean[1];
        if (step(() -> more[0] = engine.hasMore()) && !more[0]) {
            replica.requireNotBefore(before, action);
        }
    }

    /** @param later whether everything that is only done from time to time is due */
    void checkpoint(boolean later) throws IOException, Violation {
        step(() -> engine.checkpoint(later));
    }

    void checkpointNow(String action) throws IOException, Violation {
        int before = content.history().place();
        if (step(engine::checkpointNow)) {
            replica.requireNotBefore(before, action);
        }
    }

    void checkpointUncaptured() throws IOException, Violation {
        step(engine::checkpointUncaptured);
    }

    void openImage(String action) throws IOException, Violation {
        int before = content.history().place();
        if (step(engine::openImage)) {
            replica.requireNotBefore(before, action);
            imageHash = replica.hash();
        }
    }

    /** False if there is no snapshot. */
    boolean writeImage() throws IOException, Violation {
        Path[] snapshot = new Path[1];
        String expected = imageHash;
        if (step(() -> snapshot[0] = engine.writeImage()) && snapshot[0] != null) {
            String found = hashOf(snapshot[0]);
            if (!found.equals(expected)) {
                throw new Violation(
                        Kind.WRONG_SNAPSHOT,
                        "the snapshot of " + EngineUnderTest.newestOf(snapshot[0]) + " is "
                                + content.history().describe(found) + ", not "
                                + content.history().describe(expected));
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

    void pause(String action) throws IOException, Violation {
        if (finish(action)) {
            step(engine::pause);
        }
    }

    void stop(String action) throws IOException, Violation {
        step(engine::closeImage);
        finish(action);
        step(engine::end);
    }

    private boolean finish(String action) throws IOException, Violation {
        int before = content.history().place();
        boolean[] captured = new boolean[1];
        boolean done = step(() -> captured[0] = engine.finish());
        if (done && captured[0]) {
            replica.requireNotBefore(before, action);
        }
        return done;
    }

    /** Ends at once, with nothing captured any more. */
    void end() throws IOException {
        engine.closeImage();
        engine.end();
    }

    /** False if it failed, which it may; what it captured is uploaded either way. */
    private boolean step(Step step) throws IOException, Violation {
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
        } catch (Points.Killed e) {
            killed = true;
            end();
        } catch (Points.Failed e) {
            throw e.getCause() instanceof Violation violation
                    ? violation
                    : new Violation(Kind.UNEXPECTED, String.valueOf(e.getCause()), e);
        }
        replica.takeFrom(engine);
        return done;
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /** Why the engine gave continuity up, each time. */
    List<String> losses() {
        return losses;
    }

    /** Whether the process was killed in the middle of a step since this was called. */
    boolean takeKilled() {
        boolean was = killed;
        killed = false;
        return was;
    }

    /** Whether continuity was lost, and an image must follow. */
    boolean isLost() {
        return lost;
    }

    boolean hasFailed() {
        return lastFailure != null;
    }

    /** Of the last step that failed since this was called; null if none did. */
    @Nullable
    IOException takeFailure() {
        IOException failed = lastFailure;
        lastFailure = null;
        return failed;
    }
}
