package org.litestream4j.replica.nats;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a server. When the client sends a certain text for the first time, the server still gets
 * all of it, but the client gets no answer: the connection breaks a moment later. Further connections are left alone.
 */
final class CuttingProxy implements AutoCloseable {

    private static final int TAIL = 256;

    private static final long MOMENT_MILLIS = 300;

    private final ServerSocket listener;
    private final int serverPort;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CountDownLatch cut = new CountDownLatch(1);
    private volatile @Nullable Pattern trigger;
    private volatile boolean forGood;

    CuttingProxy(int serverPort, String trigger) throws IOException {
        this.serverPort = serverPort;
        this.trigger = Pattern.compile(trigger);
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** Further connections are refused. */
    CuttingProxy forGood() {
        forGood = true;
        return this;
    }

    boolean hasCut() {
        return cut.getCount() == 0;
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work, "cutting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (true) {
            try {
                Pair pair = new Pair(listener.accept(), new Socket(InetAddress.getLoopbackAddress(), serverPort));
                open.add(pair.client);
                open.add(pair.server);
                start(pair::toServer);
                start(pair::toClient);
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private final class Pair {

        private final Socket client;
        private final Socket server;
        private volatile boolean mute;

        Pair(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void toServer() {
            byte[] buffer = new byte[64 * 1024];
            String tail = "";
            try {
                InputStream in = client.getInputStream();
                OutputStream out = server.getOutputStream();
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    String text = tail + new String(buffer, 0, count, StandardCharsets.ISO_8859_1);
                    Pattern wanted = trigger;
                    if (wanted != null && wanted.matcher(text).find()) {
                        trigger = null;
                        mute = true;
                        start(this::cutSoon);
                    }
                    tail = text.substring(Math.max(0, text.length() - TAIL));
                    out.write(buffer, 0, count);
                }
            } catch (IOException e) {
                // One of the two has gone.
            }
            end();
        }

        void toClient() {
            byte[] buffer = new byte[64 * 1024];
            try {
                InputStream in = server.getInputStream();
                for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                    if (!mute) {
                        client.getOutputStream().write(buffer, 0, count);
                    }
                }
            } catch (IOException e) {
                // One of the two has gone.
            }
            end();
        }

        private void cutSoon() {
            try {
                cut.await(MOMENT_MILLIS, TimeUnit.MILLISECONDS); // the server stores what it got
                if (forGood) {
                    listener.close();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            cut.countDown();
            end();
        }

        private void end() {
            try (client;
                    server) {
                open.remove(client);
                open.remove(server);
            } catch (IOException e) {
                // Closed as well.
            }
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : open) {
            socket.close();
        }
    }
}
