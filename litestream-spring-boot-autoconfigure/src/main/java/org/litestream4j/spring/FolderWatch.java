package org.litestream4j.spring;

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
 * Looks into folders once a second: registers databases that are new there, and unregisters those that are gone. One thread
 * for all folders. Who unregisters a database by its name is respected until the file is gone.
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

    // Confined to the thread, and to the caller of start before it.
    private final Map<Path, String> names = new HashMap<>();
    private final Map<Path, Long> failed = new HashMap<>();

    /** Registers a file, if it is not registered yet. */
    @FunctionalInterface
    interface Registrar {
        /** Returns the name that the database has now. */
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
     * Registers what is there, and begins to watch.
     *
     * @throws IOException if that cannot be registered
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
                    unregister(file, names.remove(file));
                }
            }
            failed.keySet().removeIf(file -> !Files.exists(file));
        } catch (IOException | RuntimeException e) { // whatever it is, the next look follows
            LOG.warn("cannot scan the database folders, will retry", e);
        }
    }

    /** A line feed in a name would forge lines of logs; the file is told once a minute at most. */
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

    /** Waits for a look that is going on; it is not interrupted. */
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
