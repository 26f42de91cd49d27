package org.litestream4j;

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
import org.sqlite.util.LibraryLoaderUtil;

/**
 * Starts programs under a library, compiled here, that counts their writes, forces, truncations, renames, links and deletions
 * of files, and ends the process at one of these, lets it fail, or takes a copy of the files at each. Where there is no C
 * compiler, tests are skipped.
 */
final class CrashPoints {

    /** How much of the chosen call takes place. */
    enum Effect {
        NONE,
        /** Of a write; other calls are not counted. */
        HALF,
        FULL
    }

    enum Outcome {
        KILL,
        /** An I/O error, once. */
        EIO,
        /** A full disk, once; calls that need no space are not counted. */
        ENOSPC,
        /** The call tells of success. */
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

    /** @param folder for the library, and what makes JVMs start quickly */
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
                "only where there is a C compiler");
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

    /** Runs it to its end without interference, so that later starts find their classes loaded. */
    void rehearse(Path output, Class<?> main, Object... arguments) throws IOException, InterruptedException {
        try (ChildProcess child = ChildProcess.start(
                output, Map.of(), options("-XX:ArchiveClassesAtExit=" + archive()), classPath, main, arguments)) {
            child.tell("go");
            if (!child.awaitExit(60) || child.exitCode() != 0) {
                throw new IOException("ends without interference: " + child.output());
            }
        }
    }

    /**
     * @param prefix which calls count: on files whose path begins so, except {@code *.log}
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
     * Without interference: copies a folder before each call, and in the middle of each write. That is what a kill at that
     * moment leaves behind, if it ends all processes that have the database open.
     */
    ChildProcess startCopying(Path output, Path from, Path copies, Class<?> main, Object... arguments)
            throws IOException {
        Map<String, String> environment = environment(output, from);
        environment.put("CRASHPOINTS_COPY", from.toString());
        environment.put("CRASHPOINTS_COPIES", copies.toString());
        return ChildProcess.start(output, environment, options(), classPath, main, arguments);
    }

    /**
     * Forces of files with this prefix leave their times volatile, as those of SQLite builds with {@code HAVE_FDATASYNC} do
     * (those of most distributions; the driver's build has none).
     */
    ChildProcess startWithDataSync(Path output, Path prefix, Class<?> main, Object... arguments) throws IOException {
        Map<String, String> environment = environment(output, prefix);
        environment.put("CRASHPOINTS_DATASYNC", "1");
        return ChildProcess.start(output, environment, options(), classPath, main, arguments);
    }

    /** After another start of the machine: with a boot id of its own. Only where mounts of a process's own are possible. */
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

    /** With the driver's library unpacked already: killed processes would leave theirs behind. */
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

    /** The chosen call, or null if the program ended before. */
    static String hit(Path output) throws IOException {
        Path calls = calls(output);
        if (!Files.exists(calls)) {
            return null;
        }
        List<String> lines = Files.readAllLines(calls);
        int hit = lines.indexOf("hit");
        return hit < 0 ? null : lines.get(hit - 1);
    }

    /** All calls so far, in order. */
    static List<String> counted(Path output) throws IOException {
        return Files.exists(calls(output)) ? Files.readAllLines(calls(output)) : List.of();
    }
}
