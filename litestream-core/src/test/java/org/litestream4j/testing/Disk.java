package org.litestream4j.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A small disk of its own for a test, which can be filled and made read-only; where mounting is not allowed, tests are skipped. */
public final class Disk implements AutoCloseable {

    private final Path folder;
    private final Deque<Path> mounted = new ArrayDeque<>();

    private Disk(Path folder) {
        this.folder = folder;
    }

    /** In memory. */
    public static Disk small(Path folder, int megabytes) throws IOException {
        Files.createDirectories(folder);
        boolean possible = run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "none", folder.toString());
        assumeTrue(possible, "only where a file system can be mounted");
        Disk disk = new Disk(folder);
        disk.mounted.push(folder);
        return disk;
    }

    /** An ext4 file system in a file. */
    public static Disk ext4(Path folder, Path image) throws IOException {
        Files.createDirectories(folder);
        boolean possible = Files.exists(image)
                || (run("truncate", "-s", "16M", image.toString()) && run("mkfs.ext4", "-q", image.toString()));
        assumeTrue(
                possible && run("mount", "-o", "loop", image.toString(), folder.toString()),
                "only where an ext4 file system can be made and mounted");
        Disk disk = new Disk(folder);
        disk.mounted.push(folder);
        return disk;
    }

    /** Skips the test where a process cannot have mounts of its own. */
    public static void assumeOwnMounts() {
        assumeTrue(run("unshare", "-m", "true"), "only where a process can have mounts of its own");
    }

    /** Forces everything that was written so far, names and times included. */
    public void force() {
        assumeTrue(run("sync", "-f", folder.toString()), "only where a file system can be forced");
    }

    /** A folder that can be made read-only beneath those who have files of it open. */
    public static Disk of(Path folder) {
        return new Disk(folder);
    }

    /** Takes all the space that is left. */
    public void fill() throws IOException {
        try (OutputStream out = Files.newOutputStream(folder.resolve("filler"))) {
            byte[] block = new byte[4096];
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            if (Files.getFileStore(folder).getUsableSpace() > 0) {
                throw full;
            }
        }
    }

    /** Gives it back. */
    public void free() throws IOException {
        Files.delete(folder.resolve("filler"));
    }

    /** What is opened from now on can only be read; what is open stays as it is. */
    public void coverReadOnly() {
        boolean covered = run("mount", "--bind", folder.toString(), folder.toString());
        assumeTrue(covered, "only where a folder can be mounted again");
        mounted.push(folder);
        assumeTrue(run("mount", "-o", "remount,bind,ro", folder.toString()), "only where a mount can be read-only");
    }

    public void uncover() {
        run("umount", "-l", mounted.pop().toString());
    }

    /** As a kernel that finds errors on it does: for all, from now on. Only for {@link #ext4}. */
    public void abort() {
        assumeTrue(run("mount", "-o", "remount,abort", folder.toString()), "only where ext4 can be told to give up");
    }

    public void remount(String mode) {
        assumeTrue(run("mount", "-o", "remount," + mode, folder.toString()), "only where it can be remounted " + mode);
    }

    @Override
    public void close() {
        while (!mounted.isEmpty()) {
            uncover();
        }
    }

    private static boolean run(String... command) {
        try {
            Process process = new ProcessBuilder(List.of(command))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
