package org.litestream4j.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.zip.ZipEntry;

/** A second JVM that runs a main class of the test class path; its output goes to a file. */
public final class ChildProcess implements AutoCloseable {

    private final Process process;
    private final Path output;

    private ChildProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    public static ChildProcess start(Path output, Class<?> main, Object... arguments) throws IOException {
        return start(output, List.of(), Map.of(), List.of(), classPath(), main, arguments);
    }

    /** Starts a JVM with further environment variables and options, and another class path. */
    public static ChildProcess start(
            Path output,
            Map<String, String> environment,
            List<String> options,
            String classPath,
            Class<?> main,
            Object... arguments)
            throws IOException {
        return start(output, List.of(), environment, options, classPath, main, arguments);
    }

    /**
     * One that may have so many files open.
     *
     * @param folder for its output, and for jars: from a folder, a class cannot be loaded once no more can be opened
     */
    public static ChildProcess startLimited(Path folder, int descriptors, Class<?> main, Object... arguments)
            throws IOException {
        String jars = jars(folder);
        assumeTrue(Files.exists(Path.of("/bin/sh")), "only where there is a shell that sets limits");
        return start(
                folder.resolve("limited.out"),
                List.of("/bin/sh", "-c", "ulimit -n " + descriptors + " && exec \"$@\"", "sh"),
                Map.of(),
                List.of(),
                jars,
                main,
                arguments);
    }

    /**
     * Returns the class path with jars in place of folders.
     *
     * @param folder for the jars
     */
    public static String jars(Path folder) throws IOException {
        List<String> jars = new ArrayList<>();
        for (String entry : classPath().split(File.pathSeparator, -1)) {
            Path path = Path.of(entry);
            jars.add(Files.isDirectory(path) ? jar(path, folder.resolve(jars.size() + ".jar")) : entry);
        }
        return String.join(File.pathSeparator, jars);
    }

    private static String jar(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                var files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new ZipEntry(classes.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
        return jar.toString();
    }

    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /**
     * Starts a JVM through another command.
     *
     * @param prefix the other command, which executes the arguments that follow
     */
    public static ChildProcess start(
            Path output,
            List<String> prefix,
            Map<String, String> environment,
            List<String> options,
            String classPath,
            Class<?> main,
            Object... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("-cp", classPath, main.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().putAll(environment);
        return new ChildProcess(builder.start(), output);
    }

    /** Tells the child something: one line of its input. */
    public void tell(String line) throws IOException {
        try {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            if (process.isAlive()) {
                throw e;
            }
        }
    }

    /** Waits until the child has written a text. */
    public void awaitOutput(String text) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!output().contains(text)) {
            if (!process.isAlive() && !output().contains(text)) {
                throw new IOException("child ended without \"" + text + "\":\n" + output());
            }
            if (System.nanoTime() > end) {
                throw new IOException("child did not say \"" + text + "\":\n" + output());
            }
            Thread.sleep(5);
        }
    }

    /** Waits until the child has written a text or ended. Returns whether it has written it. */
    public boolean awaitOutputOrExit(String text) throws IOException, InterruptedException {
        try {
            awaitOutput(text);
            return true;
        } catch (IOException e) {
            if (process.isAlive()) {
                throw e;
            }
            return false;
        }
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    public boolean awaitExit(long seconds) throws InterruptedException {
        return process.waitFor(seconds, TimeUnit.SECONDS);
    }

    public int exitCode() {
        return process.exitValue();
    }

    public String output() throws IOException {
        return Files.readString(output);
    }

    /** SIGSTOP: nothing of it goes on, not even its clocks' users, until {@link #proceed}. */
    public void suspend() throws IOException, InterruptedException {
        signal("-STOP");
    }

    /** SIGCONT. */
    public void proceed() throws IOException, InterruptedException {
        signal("-CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", signal, Long.toString(process.pid())).start();
        assumeTrue(kill.waitFor() == 0, "only where there is a kill that knows " + signal);
    }

    /** SIGKILL. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    /** SIGKILL if it still runs. */
    @Override
    public void close() {
        kill();
    }
}
