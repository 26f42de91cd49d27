package org.litestream4j.spring;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Litestream;
import org.litestream4j.replica.Redaction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scans folders once a second: registers new databases and unregisters deleted ones. One thread scans all folders. A
 * database that the application has unregistered by name is not registered again until its file was deleted.
 */
final class FolderWatch implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(FolderWatch.class);

    private static final long INTERVAL_SECONDS = 1;
    private static final long RETRY_NANOS = TimeUnit.MINUTES.toNanos(1);
    private static final long LAST_LOOK_SECONDS = 60;

    private final Litestream litestream;
    private final List<DatabaseFolder> folders;
    private final Registrar registrar;
    private final ScheduledThreadPoolExecutor thread;

    private @Nullable ScheduledFuture<?> looking;

    // Confined to the thread, and before its start to the caller of start.
    private final Map<Path, String> names = new HashMap<>();
    private final Map<Path, Long> failed = new HashMap<>();

    /** Registers a file unless it is registered. */
    @FunctionalInterface
    interface Registrar {
        /** Registers a file and returns the name of its database. */
        String register(DatabaseFolder folder, Path file) throws IOException;
    }

    FolderWatch(Litestream litestream, List<DatabaseFolder> folders, Registrar registrar) {
        this.litestream = litestream;
        this.folders = folders;
        this.registrar = registrar;
        this.thread = new ScheduledThreadPoolExecutor(1, task -> {
            Thread created = new Thread(task, "litestream-folders");
            created.setDaemon(true);
            return created;
        });
        thread.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /**
     * Registers the existing databases and starts the scans.
     *
     * @throws IOException if a database cannot be registered
     */
    void start() throws IOException {
        for (DatabaseFolder folder : folders) {
            for (Path file : folder.files()) {
                if (isNamedWell(file)) {
                    names.put(file, registrar.register(folder, file));
                }
            }
        }
        looking = thread.scheduleWithFixedDelay(this::look, INTERVAL_SECONDS, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    private void look() {
        try {
            for (DatabaseFolder folder : folders) {
                for (Path file : folder.files()) {
                    if (!names.containsKey(file) && isDue(file) && isNamedWell(file)) {
                        register(folder, file);
                    }
                }
            }
            for (Path file : List.copyOf(names.keySet())) {
                if (!Files.exists(file)) {
                    unregister(file, requireNonNull(names.remove(file)));
                }
            }
            failed.keySet().removeIf(file -> !Files.exists(file));
        } catch (IOException | RuntimeException e) { // scans must continue after any failure
            LOG.warn("cannot scan the database folders, will retry", e);
        }
    }

    /**
     * Returns whether a file name is valid. A line feed in a name would forge log lines; such a file is reported at
     * most once a minute.
     */
    private boolean isNamedWell(Path file) {
        String name = file.toString();
        String printable = Redaction.printable(name);
        if (printable.equals(name)) {
            return true;
        }
        if (failed.put(file, System.nanoTime()) == null) {
            LOG.warn(
                    "database of a folder is not replicated, its name contains control characters: path={}; rename it",
                    printable);
        }
        return false;
    }

    private boolean isDue(Path file) {
        Long at = failed.get(file);
        return at == null || System.nanoTime() - at > RETRY_NANOS;
    }

    private void register(DatabaseFolder folder, Path file) {
        try {
            names.put(file, registrar.register(folder, file));
            failed.remove(file);
        } catch (IOException | RuntimeException e) {
            if (!thread.isShutdown() && failed.put(file, System.nanoTime()) == null) {
                LOG.warn("database of a folder is not replicated, will retry: path={}", file, e);
            }
        }
    }

    private void unregister(Path file, String name) {
        try {
            LOG.info("database file was deleted: db={} path={}", name, file);
            litestream.unregister(name);
        } catch (IOException e) {
            LOG.warn("database file was deleted before everything was replicated: db={} path={}", name, file, e);
        }
    }

    /** Waits for a running scan, without interrupting it. */
    @Override
    public void close() {
        if (looking != null) {
            looking.cancel(false);
        }
        thread.shutdown();
        try {
            if (!thread.awaitTermination(LAST_LOOK_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("the database folder scan is still running after {} s", LAST_LOOK_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
