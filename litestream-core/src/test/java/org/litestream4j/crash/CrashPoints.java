package org.litestream4j.crash;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.litestream4j.testing.ChildProcess;
import org.sqlite.util.LibraryLoaderUtil;

/**
 * Starts programs on top of a library that counts their calls that change files: writes, forces, truncations, renames, links
 * and deletions. It kills the process at one call, lets this call fail, or copies the files at each call. The library is
 * compiled here; without a C compiler, the test is skipped.
 */
final class CrashPoints {

    /** How much of the chosen call takes place. */
    enum Effect {
        NONE,
        /** Only writes are counted. */
        HALF,
        FULL
    }

    enum Outcome {
        KILL,
        /** One I/O error. */
        EIO,
        /** One error of a full disk. Calls that need no space are not counted. */
        ENOSPC,
        /** The call reports success. */
        SUCCESS
    }

    private final Path folder;
    private final String driver;
    private final String classPath;

    private CrashPoints(Path folder, String driver, String classPath) {
        this.folder = folder;
        this.driver = driver;
        this.classPath = classPath;
    }

    /**
     * Compiles the library.
     *
     * @param folder for the library and for an archive of classes, which lets JVMs start faster
     */
    static CrashPoints build(Path folder) throws IOException, InterruptedException {
        Path source = folder.resolve("crashpoints.c");
        try (InputStream in = CrashPoints.class.getResourceAsStream("/crashpoints/crashpoints.c")) {
            Files.copy(in, source);
        }
        Path library = library(folder);
        assumeTrue(System.getProperty("os.name").equals("Linux"), "only on Linux");
        assumeTrue(
                run(
                        folder,
                        "cc",
                        "-O1",
                        "-shared",
                        "-fPIC",
                        "-o",
                        library.toString(),
                        source.toString(),
                        "-ldl",
                        "-lpthread"),
                "only where cc compiles crashpoints.c, see cc.out beside it");
        String driver = LibraryLoaderUtil.getNativeLibName();
        String resource = LibraryLoaderUtil.getNativeLibResourcePath() + "/" + driver;
        try (InputStream in = LibraryLoaderUtil.class.getResourceAsStream(resource)) {
            Files.copy(in, folder.resolve(driver));
        }
        return new CrashPoints(folder, driver, ChildProcess.jars(folder));
    }

    private static boolean run(Path folder, String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("cc.out").toFile())
                    .start();
            return process.waitFor(60, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        }
    }

    /** Runs a program to its end without interference, and archives its classes for later starts. */
    void rehearse(Path output, Class<?> main, Object... arguments) throws IOException, InterruptedException {
        try (ChildProcess child = ChildProcess.start(
                output, Map.of(), options("-XX:ArchiveClassesAtExit=" + archive()), classPath, main, arguments)) {
            child.tell("go");
            if (!child.awaitExit(300) || child.exitCode() != 0) {
                throw new IOException("ends without interference: " + child.output());
            }
        }
    }

    /**
     * Starts a program, and interferes with one of its calls.
     *
     * @param prefix of the paths that count; {@code *.log} does not count
     * @param at number of the call, from 1
     */
    ChildProcess start(
            Path output, Path prefix, int at, Effect effect, Outcome outcome, Class<?> main, Object... arguments)
            throws IOException {
        Map<String, String> environment = environment(output, prefix);
        environment.put("CRASHPOINTS_AT", Integer.toString(at));
        environment.put("CRASHPOINTS_EFFECT", lower(effect));
        environment.put("CRASHPOINTS_OUTCOME", lower(outcome));
        return ChildProcess.start(output, environment, options(), classPath, main, arguments);
    }

    /**
     * Starts a program, and copies a folder before each of its calls and in the middle of each write. A copy is what a kill at
     * that moment leaves behind if it ends all processes that have the database open.
     */
    ChildProcess startCopying(Path output, Path from, Path copies, Class<?> main, Object... arguments)
            throws IOException {
        Map<String, String> environment = environment(output, from);
        environment.put("CRASHPOINTS_COPY", from.toString());
        environment.put("CRASHPOINTS_COPIES", copies.toString());
        return ChildProcess.start(output, environment, options(), classPath, main, arguments);
    }

    /**
     * Starts a program whose forces of files leave the times volatile, as in SQLite builds with {@code HAVE_FDATASYNC} (those of
     * most distributions, unlike the driver's).
     *
     * @param prefix of the paths of these files
     */
    ChildProcess startWithDataSync(Path output, Path prefix, Class<?> main, Object... arguments) throws IOException {
        Map<String, String> environment = environment(output, prefix);
        environment.put("CRASHPOINTS_DATASYNC", "1");
        return ChildProcess.start(output, environment, options(), classPath, main, arguments);
    }

    /** Starts a program that sees a new boot id, as after a reboot. Needs the right to mount. */
    ChildProcess startAfterReboot(Path output, Class<?> main, Object... arguments) throws IOException {
        Path bootId = output.resolveSibling("boot_id");
        Files.writeString(bootId, java.util.UUID.randomUUID() + "\n");
        return ChildProcess.start(
                output,
                List.of(
                        "unshare",
                        "-m",
                        "sh",
                        "-c",
                        "mount --bind " + bootId + " /proc/sys/kernel/random/boot_id && exec \"$@\"",
                        "sh"),
                Map.of(),
                options(),
                classPath,
                main,
                arguments);
    }

    private Map<String, String> environment(Path output, Path prefix) {
        Map<String, String> environment = new HashMap<>();
        environment.put("LD_PRELOAD", library(folder).toString());
        environment.put("CRASHPOINTS_PREFIX", prefix.toString());
        environment.put("CRASHPOINTS_LOG", calls(output).toString());
        return environment;
    }

    private static Path library(Path folder) {
        return folder.resolve("crashpoints.so");
    }

    private Path archive() {
        return folder.resolve("classes.jsa");
    }

    /** Points the driver to its unpacked library: killed processes would leave theirs behind. */
    private List<String> options(String... more) {
        List<String> options = new ArrayList<>(List.of(
                "-Djava.io.tmpdir=" + folder, "-Dorg.sqlite.lib.path=" + folder, "-Dorg.sqlite.lib.name=" + driver));
        if (more.length > 0) {
            options.addAll(List.of(more));
        } else if (Files.exists(archive())) {
            options.addAll(List.of("-XX:SharedArchiveFile=" + archive(), "-Xlog:disable"));
        }
        return options;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(java.util.Locale.ROOT);
    }

    private static Path calls(Path output) {
        return output.resolveSibling(output.getFileName() + ".calls");
    }

    /** Returns the call that was interfered with, or null if the program did not reach it. */
    static String hit(Path output) throws IOException {
        Path calls = calls(output);
        if (!Files.exists(calls)) {
            return null;
        }
        List<String> lines = Files.readAllLines(calls);
        int hit = lines.indexOf("hit");
        return hit < 0 ? null : lines.get(hit - 1);
    }

    /** Returns all counted calls so far, in order. */
    static List<String> counted(Path output) throws IOException {
        return Files.exists(calls(output)) ? Files.readAllLines(calls(output)) : List.of();
    }
}
