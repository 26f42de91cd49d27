package org.litestream4j.capture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The local state of a database that nobody replicates right now. */
public final class LocalState {

    private LocalState() {}

    /**
     * Forgets how far a database was captured and deletes its local files, for the case that they are damaged or of no use; the
     * next start captures the whole database. What was not uploaded yet is lost for a restore to that very moment, but the
     * database itself is not touched.
     *
     * @param metaPath folder of the local state
     * @param dryRun whether to delete nothing
     * @return what is (or would be) deleted; empty if there is no local state
     * @throws CaptureException if a process replicates the database
     */
    public static List<Path> reset(Path database, Path metaPath, boolean dryRun) throws IOException {
        if (!Files.isDirectory(metaPath)) {
            return List.of();
        }
        OwnerLock owner = new OwnerLock(metaPath);
        try {
            if (!owner.tryAcquire()) {
                throw new CaptureException(
                        database, "a process replicates the database", "stop it, then reset its local state", null);
            }
            List<Path> files = new ArrayList<>();
            for (String name : new String[] {"position", "ltx", "restore"}) {
                addAll(metaPath.resolve(name), files);
            }
            if (!dryRun) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
                Durable.forceFolder(metaPath);
            }
            return List.copyOf(files);
        } finally {
            owner.close();
        }
    }

    /** Children before their folder. */
    private static void addAll(Path root, List<Path> files) throws IOException {
        if (Files.exists(root)) {
            try (var paths = Files.walk(root)) {
                List<Path> found = new ArrayList<>(paths.toList());
                Collections.reverse(found);
                files.addAll(found);
            }
        }
    }
}
