package org.litestream4j.cli;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/** A shell command that runs beside ours, on the same terminal. */
final class ChildCommand {

    /** How long it may take to end when it is told to. */
    private static final long PATIENCE_SECONDS = 30;

    private final Process process;

    private ChildCommand(Process process) {
        this.process = process;
    }

    static ChildCommand start(String command) throws IOException {
        return new ChildCommand(
                new ProcessBuilder("sh", "-c", command).inheritIO().start());
    }

    boolean isRunning() {
        return process.isAlive();
    }

    /**
     * Tells it to end, and all that it started, if it still runs.
     *
     * @return its exit code
     */
    int end() throws InterruptedException {
        if (process.isAlive()) {
            process.descendants().forEach(ProcessHandle::destroy); // a shell does not pass signals on
            process.destroy();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        }
        return process.waitFor();
    }
}
