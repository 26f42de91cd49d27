package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.api.ObjectStoreConfiguration;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** A real server with JetStream, on a free port of the loopback address, with a store folder of its own. */
public final class NatsServer implements AutoCloseable {

    /** Where the program is; the environment names another version to try. */
    private static final Path PROGRAM = Stream.of(
                    System.getenv().getOrDefault("NATS_SERVER", ""),
                    "/usr/sbin/nats-server",
                    "/usr/bin/nats-server",
                    "/usr/local/bin/nats-server",
                    "/opt/homebrew/bin/nats-server")
            .filter(path -> !path.isEmpty())
            .map(Path::of)
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(Path.of("missing"));

    private final Path folder;
    private final int port;
    private Process process;

    private NatsServer(Path folder, int port) {
        this.folder = folder;
        this.port = port;
    }

    /** A server that lets everybody in. */
    public static NatsServer start(Path folder) {
        return start(folder, "");
    }

    /** @param more of the server's configuration; {@code $FOLDER} stands for the folder */
    static NatsServer start(Path folder, String more) {
        return start(folder, freePort(), true, more);
    }

    static NatsServer start(Path folder, int port, boolean jetStream, String more) {
        assumeTrue(
                Files.isExecutable(PROGRAM),
                "these tests need the program nats-server (Debian and Ubuntu: apt-get install nats-server)");
        NatsServer server = new NatsServer(folder, port);
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    server.configuration(),
                    "listen: \"127.0.0.1:" + port + "\"\n"
                            + (jetStream ? "jetstream { store_dir: \"" + folder.resolve("store") + "\" }\n" : "")
                            + more.replace("$FOLDER", folder.toString()) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.start();
        return server;
    }

    private Path configuration() {
        return folder.resolve("nats.conf");
    }

    int port() {
        return port;
    }

    public String address() {
        return "127.0.0.1:" + port;
    }

    /** Starts it again after {@link #kill}. */
    public void start() {
        launch();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(accepts())
                        .as("see %s", folder.resolve("server.log"))
                        .isTrue());
    }

    private void launch() {
        try {
            process = new ProcessBuilder(
                            PROGRAM.toString(), "-c", configuration().toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.resolve("server.log").toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    private boolean accepts() {
        if (!process.isAlive() && log().contains("address already in use")) {
            launch(); // for the moment, the port is a client's: of a connection that it begins
        }
        assertThat(process.isAlive()).as("nats-server ended: %s", log()).isTrue();
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
            return socket.getInputStream().read() >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    String log() {
        try {
            return Files.readString(folder.resolve("server.log"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** As the kernel does when memory is short. */
    public void kill() {
        process.destroyForcibly();
        try {
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops it for a time; its connections stay open. */
    public void suspend(Duration time) throws IOException, InterruptedException {
        signal("-STOP");
        Thread.sleep(time.toMillis());
        signal("-CONT");
    }

    private void signal(String signal) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", signal, Long.toString(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    /** Something that the library does alone, without our code. */
    interface Action<T> {
        T run(Connection connection) throws Exception;
    }

    <T> T with(Action<T> action) throws Exception {
        Connection connection =
                Nats.connect(Options.builder().server("nats://" + address()).build());
        try {
            return action.run(connection);
        } finally {
            connection.close();
        }
    }

    void createBucket(String bucket) throws Exception {
        with(connection -> connection
                .objectStoreManagement()
                .create(ObjectStoreConfiguration.builder(bucket).build()));
    }

    public static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static List<Integer> freePorts(int count) {
        return Stream.generate(NatsServer::freePort).distinct().limit(count).toList();
    }

    @Override
    public void close() {
        kill();
    }
}
