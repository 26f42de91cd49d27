package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The packaged sample application as a process of its own, on a free port. */
final class SampleProcess implements AutoCloseable {

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Pattern STARTED = Pattern.compile("Tomcat started on port (\\d+) ");
    private static final Duration START_TIMEOUT = Duration.ofSeconds(90);

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();
    private final Process process;
    private final Path log;
    private final URI address;

    private SampleProcess(Process process, Path log) throws IOException, InterruptedException {
        this.process = process;
        this.log = log;
        this.address = URI.create("http://127.0.0.1:" + awaitPort());
    }

    /** Starts in a folder, with the database and the replica that {@code application.yaml} says, below it. */
    static SampleProcess start(Path folder, String... arguments) throws IOException, InterruptedException {
        return start(folder, List.of(), arguments);
    }

    /** Starts with options of the JVM. */
    static SampleProcess start(Path folder, List<String> options, String... arguments)
            throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, "app", ".log");
        Process process = launch(folder, log, options, arguments);
        try {
            return new SampleProcess(process, log);
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            process.destroyForcibly();
            throw e;
        }
    }

    /** Starts a process that is not waited for. */
    static Process launch(Path folder, Path log, List<String> options, String... arguments) throws IOException {
        String jar = System.getProperty("sample.jar");
        assertThat(jar).as("system property sample.jar, set by the build").isNotNull();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        command.addAll(List.of("-jar", jar, "--server.port=0", "--spring.main.banner-mode=off"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    private int awaitPort() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
        while (System.nanoTime() < deadline) {
            Matcher started = STARTED.matcher(log());
            if (started.find()) {
                return Integer.parseInt(started.group(1));
            }
            if (process.waitFor(50, TimeUnit.MILLISECONDS)) {
                break;
            }
        }
        throw new AssertionError("the sample application did not start:\n" + log());
    }

    String log() throws IOException {
        return Files.readString(log);
    }

    /** Adds a note; its id once the application has acknowledged it. */
    long add(String text) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                request("/api/notes")
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(JSON.writeValueAsString(Map.of("text", text))))
                        .build(),
                BodyHandlers.ofString());
        if (response.statusCode() != 201) {
            throw new IOException("HTTP " + response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body()).path("id").asLong();
    }

    /** All notes, by id. */
    Map<Long, String> notes() throws IOException, InterruptedException {
        Map<Long, String> notes = new TreeMap<>();
        for (JsonNode note : get("/api/notes?limit=100000")) {
            notes.put(note.path("id").asLong(), note.path("text").asString());
        }
        return notes;
    }

    /** Whether everything that was acknowledged before this call is on the replica, in the application's words. */
    boolean saysReplicated() throws IOException, InterruptedException {
        return get("/api/replication").path("lagMillis").asLong(-1) == 0;
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return JSON.readTree(text(path));
    }

    /** Posts JSON, and answers whatever the application does. */
    Answer post(String path, Object body) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(
                request(path)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(JSON.writeValueAsString(body)))
                        .build(),
                BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body()));
    }

    void delete(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(request(path).DELETE().build(), BodyHandlers.ofString());
        assertThat(response.statusCode()).as(path).isEqualTo(204);
    }

    record Answer(int status, JsonNode body) {}

    String text(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(request(path).build(), BodyHandlers.ofString());
        assertThat(response.statusCode()).as(path).isEqualTo(200);
        return response.body();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(address.resolve(path)).timeout(Duration.ofSeconds(30));
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /** SIGTERM, and the end of it. */
    void stop() throws InterruptedException {
        process.destroy();
        assertThat(process.waitFor(60, TimeUnit.SECONDS))
                .as("ends after SIGTERM")
                .isTrue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
