package org.litestream4j.cli;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A shell command that runs beside this process, on the same terminal, with all processes that it starts. */
final class ChildCommand {

    private static final String MARK = "LITESTREAM_EXEC_ID";

    /** Longest time for which it may take to end after a signal. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(30);

    private static final long POLL_MILLIS = 50;

    /** Time for which a shell may take to end by itself after the program it waited for has ended. */
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Process process;
    private final ChildProcesses all;

    /** Whether the shell has ended and its remaining processes were searched for. */
    private boolean searched;

    private ChildCommand(Process process, ChildProcesses all) {
        this.process = process;
        this.all = all;
    }

    static ChildCommand start(String command) throws IOException {
        String id = UUID.randomUUID().toString();
        ProcessBuilder builder = new ProcessBuilder("sh", "-c", command).inheritIO();
        builder.environment().put(MARK, id);
        Process process = builder.start();
        return new ChildCommand(process, new ChildProcesses(process.toHandle(), MARK + "=" + id));
    }

    /**
     * Returns whether the command, or any process that it has started, is running, such as a background program of a
     * script that has ended.
     */
    boolean isRunning() {
        all.reapOrphans();
        boolean running = all.isAnyRunning();
        if (!process.isAlive() && !searched) {
            searched = true;
            return !all.running().isEmpty();
        }
        return running;
    }

    /**
     * Signals all processes to end and waits until they have ended. A shell that only waits for a program is signalled
     * last, because it passes on the program's exit code.
     *
     * @return the exit code of the command
     */
    int end() throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        Set<ProcessHandle> told = new HashSet<>();
        Set<ProcessHandle> waiting = new HashSet<>();
        Set<ProcessHandle> running = all.running();
        for (ProcessHandle each : running) {
            if (ChildProcesses.onlyWaits(each)) {
                waiting.add(each);
            } else {
                told.add(each);
            }
        }
        told.forEach(ProcessHandle::destroy);
        long busyAt = System.nanoTime();
        while (!running.isEmpty() && System.nanoTime() - deadline < 0) {
            all.reapOrphans();
            Thread.sleep(POLL_MILLIS);
            running = all.running();
            for (ProcessHandle each : running) {
                boolean busy = told.contains(each) || ChildProcesses.onlyWaits(each);
                if (waiting.contains(each) && busy) {
                    busyAt = System.nanoTime();
                }
                boolean startedByWaiting =
                        each.parent().filter(waiting::contains).isPresent();
                boolean isDue = waiting.contains(each) ? System.nanoTime() - busyAt > GRACE_NANOS : startedByWaiting;
                if (!busy && isDue) { // processes started by the others during clean-up are left to them
                    told.add(each);
                    each.destroy();
                }
            }
        }
        running.forEach(ProcessHandle::destroyForcibly);
        return process.waitFor();
    }
}
