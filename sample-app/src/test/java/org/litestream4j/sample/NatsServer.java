package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;

/** A real server with JetStream, on a free port of the loopback address. */
final class NatsServer implements AutoCloseable {

    private final Process process;
    private final int port;

    private NatsServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static NatsServer start(Path folder) throws IOException {
        Path program = Stream.of("/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
                .map(bin -> Path.of(bin, "nats-server"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(Path.of("missing"));
        assumeTrue(
                Files.isExecutable(program),
                "this test needs the program nats-server (Debian and Ubuntu: apt-get install nats-server)");
        Files.createDirectories(folder);
        int port = freePort();
        Process process = new ProcessBuilder(
                        program.toString(), "-js", "-a", "127.0.0.1", "-p", Integer.toString(port), "-sd", "store")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("server.log").toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        NatsServer server = new NatsServer(process, port);
        await().atMost(Duration.ofSeconds(20)).until(server::accepts);
        return server;
    }

    String address() {
        return "127.0.0.1:" + port;
    }

    private boolean accepts() {
        assertThat(process.isAlive()).as("nats-server runs").isTrue();
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.getInputStream().read() >= 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
