package org.litestream4j.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;

/**
 * An S3 server on this machine that keeps its objects as files, as if it were far away: each answer begins 20 ms late, and a
 * connection brings at most 50 MB/s. Runs until it is stopped.
 *
 * <p>Usage: {@code SlowS3 FOLDER PORT}; another server without delay listens on the port after that. The bucket is
 * {@code backups}, access key and secret key are {@code benchmark}.
 */
public final class SlowS3 {

    private static final long DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final double BYTES_PER_NANO = 50e6 / 1e9;

    private static final String KEY = "benchmark";

    private SlowS3() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]).toAbsolutePath(); // S3Proxy lists nothing below a relative one
        int port = Integer.parseInt(args[1]);
        Files.createDirectories(folder.resolve("backups")); // a folder is a bucket
        Properties store = new Properties();
        store.setProperty("jclouds.filesystem.basedir", folder.toString());
        S3Proxy server = S3Proxy.builder()
                .blobStore(BlobStores.create("filesystem-nio2", store))
                .endpoint(URI.create("http://127.0.0.1:" + (port + 1)))
                .awsAuthentication(AuthenticationType.AWS_V4, KEY, KEY)
                .build();
        server.start();
        try (ServerSocket listener = new ServerSocket(port, 50, InetAddress.getLoopbackAddress())) {
            System.out.println(
                    "s3://backups?endpoint=127.0.0.1:" + port + "&accessKeyId=" + KEY + "&secretAccessKey=" + KEY);
            while (true) {
                new Connection(listener.accept(), port + 1).start();
            }
        }
    }

    /** A client's connection, and ours to the server. */
    private static final class Connection {
        private final Socket client;
        private final Socket server;
        private volatile boolean asked;

        Connection(Socket client, int serverPort) throws IOException {
            this.client = client;
            this.server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        }

        void start() {
            new Thread(() -> pump(client, server, false)).start();
            new Thread(() -> pump(server, client, true)).start();
        }

        private void pump(Socket from, Socket to, boolean answers) {
            byte[] buffer = new byte[64 << 10];
            long free = System.nanoTime(); // when the line has carried what was sent so far
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    if (!answers) {
                        asked = true;
                    } else if (asked) {
                        asked = false;
                        await(System.nanoTime() + DELAY_NANOS);
                    }
                    free = Math.max(free, System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(5))
                            + (long) (count / BYTES_PER_NANO);
                    await(free);
                    out.write(buffer, 0, count);
                }
            } catch (IOException e) {
                // One of the two has hung up.
            }
        }

        private static void await(long time) {
            for (long left = time - System.nanoTime(); left > 0; left = time - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
        }
    }
}
