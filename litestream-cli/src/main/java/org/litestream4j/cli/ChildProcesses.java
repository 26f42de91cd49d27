package org.litestream4j.cli;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * All processes that a command has started, including those whose parent has ended: each inherits a marker in its
 * environment. Uses {@code /proc} if available, otherwise only the process tree.
 */
final class ChildProcesses {

    private static final Path PROC = Path.of("/proc");

    /** Number of SIGTERM. */
    private static final int TERM = 15;

    private final ProcessHandle top;
    private final byte[] mark;

    /** Processes seen so far; they count until they end, regardless of their parent. */
    private final Set<ProcessHandle> known = new LinkedHashSet<>();

    /** @param mark marker {@code NAME=VALUE} in the environment of each process */
    ChildProcesses(ProcessHandle top, String mark) {
        this.top = top;
        this.mark = mark.getBytes(StandardCharsets.UTF_8);
        known.add(top);
    }

    /** Returns the running processes, found by the process tree and by the marker. */
    Set<ProcessHandle> running() {
        top.descendants().forEach(known::add);
        for (long pid : pids()) {
            if (pid != ProcessHandle.current().pid() && isMarked(pid)) {
                ProcessHandle.of(pid).ifPresent(known::add);
            }
        }
        known.removeIf(process -> !isRunning(process));
        return new LinkedHashSet<>(known);
    }

    /** Returns whether any process of the tree, or any process seen before, is running; does not search for others. */
    boolean isAnyRunning() {
        top.descendants().forEach(known::add);
        known.removeIf(process -> !isRunning(process));
        return !known.isEmpty();
    }

    /**
     * Returns whether a termination signal would only kill a process that waits for others, such as a shell, and lose
     * their exit code: it has children and no handler of its own.
     */
    static boolean onlyWaits(ProcessHandle process) {
        return process.children().anyMatch(ChildProcesses::isRunning) && !catchesTerm(process);
    }

    private static boolean catchesTerm(ProcessHandle process) {
        for (String line : lines(process.pid(), "status")) {
            if (line.startsWith("SigCgt:")) {
                long caught = Long.parseUnsignedLong(line.substring(7).strip(), 16);
                return (caught >>> (TERM - 1) & 1) != 0;
            }
        }
        String command = process.info().command().orElse("");
        return !command.matches("(?:.*/)?(?:sh|bash|dash|ash|ksh|zsh|busybox)");
    }

    /** Returns whether a process is running; a zombie is not. */
    private static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && !state(process.pid()).equals("Z");
    }

    private static String state(long pid) {
        for (String line : lines(pid, "status")) {
            if (line.startsWith("State:")) {
                return line.substring(6).strip().substring(0, 1);
            }
        }
        return "";
    }

    private static List<String> lines(long pid, String file) {
        try (Stream<String> lines = Files.lines(PROC.resolve(pid + "/" + file), StandardCharsets.ISO_8859_1)) {
            return lines.toList();
        } catch (IOException | java.io.UncheckedIOException e) {
            return List.of(); // it has ended, or there is no /proc
        }
    }

    private boolean isMarked(long pid) {
        try {
            byte[] environment = Files.readAllBytes(PROC.resolve(pid + "/environ"));
            return ("\0" + new String(environment, StandardCharsets.UTF_8) + "\0")
                    .contains("\0" + new String(mark, StandardCharsets.UTF_8) + "\0");
        } catch (IOException e) {
            return false; // owned by another user, or it has ended
        }
    }

    private static List<Long> pids() {
        List<Long> pids = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(PROC, "[1-9]*")) {
            for (Path entry : entries) {
                pids.add(Long.parseLong(entry.getFileName().toString()));
            }
        } catch (IOException | DirectoryIteratorException | NumberFormatException e) {
            return pids; // no /proc here
        }
        return pids;
    }

    /**
     * Waits for ended orphans, as the first process of a container must; otherwise, they remain as zombies. Does
     * nothing in any other process.
     */
    void reapOrphans() {
        if (ProcessHandle.current().pid() != 1) {
            return;
        }
        for (ProcessHandle child : ProcessHandle.current().children().toList()) {
            if (child.pid() != top.pid() && state(child.pid()).equals("Z")) {
                reaper().ifPresent(reaper -> {
                    try {
                        reaper.invoke(null, child.pid(), true);
                    } catch (ReflectiveOperationException e) {
                        return; // it remains a zombie
                    }
                });
            }
        }
    }

    /** Returns the runtime's internal method that waits for a child, which the jar's manifest makes accessible. */
    private static Optional<Method> reaper() {
        try {
            Method completion = Class.forName("java.lang.ProcessHandleImpl")
                    .getDeclaredMethod("completion", long.class, boolean.class);
            completion.setAccessible(true);
            return Optional.of(completion);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return Optional.empty();
        }
    }
}
