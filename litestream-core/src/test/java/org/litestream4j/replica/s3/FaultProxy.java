package org.litestream4j.replica.s3;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Stands between client and store, speaks HTTP/1.1 and spoils what it is told to. Without a store behind it, it answers
 * by itself.
 */
final class FaultProxy implements AutoCloseable {

    /** What happens to one request. */
    sealed interface Fault {
        /** Nothing: forwarded, and answered. */
        record None() implements Fault {}

        /** Forwarded after a while. */
        record Late(int millis) implements Fault {}

        /** Forwarded without a header. */
        record Without(String header) implements Fault {}

        /** The connection is reset before the store sees the request. */
        record ResetBefore() implements Fault {}

        /** The store does what was asked, its answer is lost. */
        record ResetAfter() implements Fault {}

        /** The store's answer ends in the middle of its body. */
        record HalfBody() implements Fault {}

        /** Answered here; the store sees nothing. */
        record Answer(int status, String headers, String body) implements Fault {}
    }

    static final Fault NONE = new Fault.None();

    /** A request as the client sent it. */
    record Seen(String method, String target, String head) {

        /** A header's value; empty if there is none. */
        String header(String name) {
            for (String line : head.split("\r\n", -1)) {
                if (line.toLowerCase(Locale.ROOT).startsWith(name + ":")) {
                    return line.substring(name.length() + 1).strip();
                }
            }
            return "";
        }
    }

    /** Decides on each request; called by several threads. */
    interface Faults {
        Fault next(Seen request);
    }

    private final ServerSocket server;

    private final int storePort;

    private final ExecutorService threads = Executors.newCachedThreadPool();

    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    final List<Seen> seen = new CopyOnWriteArrayList<>();

    volatile Faults faults = request -> NONE;

    /** @param storePort 0 without a store */
    FaultProxy(int storePort) throws IOException {
        this.storePort = storePort;
        server = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    static Fault error(int status, String code) {
        return new Fault.Answer(status, "", "<Error><Code>" + code + "</Code><Message>as told</Message></Error>");
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                socket.setTcpNoDelay(true);
                sockets.add(socket);
                threads.execute(() -> serve(socket));
            } catch (IOException e) {
                return; // closed
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            OutputStream out = new BufferedOutputStream(socket.getOutputStream());
            while (true) {
                String head = head(in);
                if (head == null) {
                    return;
                }
                if (head.toLowerCase(Locale.ROOT).contains("\r\nexpect:")) {
                    out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
                    out.flush();
                    head = head.replaceAll("(?i)\r\nexpect:[^\r]*", "");
                }
                String[] first = head.substring(0, head.indexOf('\r')).split(" ", -1);
                Seen request = new Seen(first[0], first[1], head);
                byte[] body = body(in, request, false);
                seen.add(request);
                if (!answer(request, body, socket, out)) {
                    return;
                }
            }
        } catch (IOException e) {
            // the client went away, or the test is over
        } finally {
            sockets.remove(socket);
        }
    }

    /** Answers whether the connection lives on. */
    private boolean answer(Seen request, byte[] sent, Socket socket, OutputStream out) throws IOException {
        Fault fault = faults.next(request);
        if (fault instanceof Fault.Late late) {
            pause(late.millis());
        }
        if (fault instanceof Fault.ResetBefore) {
            reset(socket);
            return false;
        }
        if (fault instanceof Fault.Answer own) {
            byte[] body = own.body().getBytes(StandardCharsets.UTF_8);
            String length = own.headers().toLowerCase(Locale.ROOT).contains("content-length:")
                    ? ""
                    : "Content-Length: " + body.length + "\r\n";
            write(out, "HTTP/1.1 " + own.status() + " Told\r\n" + own.headers() + length + "\r\n");
            if (!request.method().equals("HEAD")) {
                out.write(body);
            }
            out.flush();
            return true;
        }
        try (Socket store = new Socket(InetAddress.getLoopbackAddress(), storePort)) {
            store.setTcpNoDelay(true);
            OutputStream toStore = new BufferedOutputStream(store.getOutputStream());
            String lost = fault instanceof Fault.Without without ? without.header() : null;
            write(
                    toStore,
                    lost == null ? request.head() : request.head().replaceAll("(?i)\r\n" + lost + ":[^\r]*", ""));
            toStore.write(sent);
            toStore.flush();
            InputStream fromStore = new BufferedInputStream(store.getInputStream());
            String head = head(fromStore);
            if (head == null) {
                throw new EOFException("no answer from the store");
            }
            Seen answer = new Seen("", "", head);
            int status = Integer.parseInt(head.split(" ", 3)[1]);
            boolean empty = request.method().equals("HEAD") || status == 204 || status == 304;
            byte[] body = empty ? new byte[0] : body(fromStore, answer, true);
            if (fault instanceof Fault.ResetAfter) {
                reset(socket);
                return false;
            }
            write(out, head);
            boolean half = fault instanceof Fault.HalfBody && body.length > 0;
            out.write(half ? Arrays.copyOf(body, body.length / 2) : body);
            out.flush();
            return !half && !answer.header("connection").equalsIgnoreCase("close");
        }
    }

    private static void pause(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis); // the latency itself is what is tested
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** Up to and with the empty line; null at the end of the connection. */
    private static String head(InputStream in) throws IOException {
        ByteArrayOutputStream head = new ByteArrayOutputStream();
        int state = 0;
        while (state < 4) {
            int b = in.read();
            if (b < 0) {
                return null;
            }
            head.write(b);
            state = b == (state % 2 == 0 ? '\r' : '\n') ? state + 1 : (b == '\r' ? 1 : 0);
        }
        return head.toString(StandardCharsets.ISO_8859_1);
    }

    /** The body as it stands on the wire: with its chunk sizes if it is chunked. */
    private static byte[] body(InputStream in, Seen message, boolean toEnd) throws IOException {
        if (message.header("transfer-encoding").equalsIgnoreCase("chunked")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            int size;
            do {
                String line = line(in, all);
                size = Integer.parseInt(line.split(";", 2)[0].strip(), 16);
                all.write(in.readNBytes(size + 2));
            } while (size > 0);
            return all.toByteArray();
        }
        String length = message.header("content-length");
        if (length.isEmpty()) {
            return toEnd ? in.readAllBytes() : new byte[0];
        }
        return in.readNBytes(Integer.parseInt(length));
    }

    private static String line(InputStream in, OutputStream copy) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int b = in.read(); b >= 0; b = in.read()) {
            copy.write(b);
            if (b == '\n') {
                return line.toString();
            }
            line.append((char) b);
        }
        throw new EOFException();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
        threads.shutdown();
    }
}
