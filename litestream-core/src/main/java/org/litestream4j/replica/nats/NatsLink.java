package org.litestream4j.replica.nats;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.nats.client.AuthenticationException;
import io.nats.client.Connection;
import io.nats.client.ConnectionListener;
import io.nats.client.ErrorListener;
import io.nats.client.JetStreamStatusException;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.impl.Headers;
import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.security.cert.CertificateException;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClosedException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.nats.NatsSettings.ConnectionSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The only connection of a client. The first request opens it; after it broke, the next request replaces it.
 * Reconnecting by the library is disabled, because the library would then send its queued messages after messages that
 * were lost. A request whose connection breaks fails immediately instead of waiting for a response that cannot arrive.
 * Thread-safe.
 */
final class NatsLink implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(NatsLink.class);

    /** Time for which "no server handles this" is attributed to a server that is starting. */
    private static final long NO_RESPONDERS_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** Time for which requests are retried while the connection is down; longer outages are handled by the caller. */
    private static final long RETRY_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final long PAUSE_MILLIS = 50;

    private final NatsSettings settings;

    private final Set<Call> inFlight = ConcurrentHashMap.newKeySet();

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private @Nullable Connection connection;

    /** The attempt in progress to open the connection; null if there is none. */
    @GuardedBy("lock")
    private @Nullable CompletableFuture<Connection> connecting;

    @GuardedBy("lock")
    private boolean closed;

    @GuardedBy("lock")
    private boolean wasConnected;

    @GuardedBy("lock")
    private int failedReconnects;

    /** Earliest time of the next attempt, by {@link System#nanoTime}; valid only after a failed attempt. */
    @GuardedBy("lock")
    private long notBefore;

    private volatile @Nullable Exception lastFailure;

    private volatile @Nullable CertificateException refusedCertificate;

    NatsLink(NatsSettings settings) {
        this.settings = settings;
    }

    /** A request in progress on one connection. */
    record Call(String subject, CompletableFuture<Message> answer, Connection via) {}

    long timeoutNanos() {
        return settings.connection().timeout().toNanos();
    }

    /** Sends a request; {@link #await} receives the response. */
    Call send(String subject, @Nullable Headers headers, byte @Nullable [] body) throws IOException {
        return send(subject, headers, body, null);
    }

    /**
     * Sends a request after an earlier one.
     *
     * @param earlier request that was sent over the same connection; null for any connection
     * @throws LostException if that connection is down
     */
    Call send(String subject, @Nullable Headers headers, byte @Nullable [] body, @Nullable Call earlier)
            throws IOException {
        Connection connected = earlier == null ? connection() : earlier.via();
        if (connected.getStatus() != Connection.Status.CONNECTED) {
            throw lost("the connection is down", null);
        }
        Call call = new Call(subject, new CompletableFuture<>(), connected);
        try {
            inFlight.add(call); // before sending: failures are reported on other threads
            var sent = connected.requestWithTimeout(
                    subject, headers, body, settings.connection().timeout());
            var unused = call.answer().whenComplete((message, failure) -> {
                inFlight.remove(call);
                sent.cancel(false);
            });
            unused = sent.handle((message, failure) -> {
                if (failure == null) {
                    call.answer().complete(message);
                } else {
                    call.answer().completeExceptionally(failure);
                }
                return message;
            });
            return call;
        } catch (IllegalStateException e) { // closed, or just broken
            inFlight.remove(call);
            throw lost("the connection is down", e);
        }
    }

    /**
     * Waits for a response.
     *
     * @throws LostException if there will be no response
     */
    Message await(Call call, long nanos) throws IOException {
        try {
            return call.answer().get(Math.max(nanos, 1), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while waiting for NATS").initCause(e);
        } catch (TimeoutException | CancellationException e) {
            throw lost("no answer to " + call.subject() + " in time", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof JetStreamStatusException unserved) {
                throw new LostException(
                        settings.url(), "no server handles " + call.subject() + " at the moment", true, unserved);
            }
            if (e.getCause() instanceof ReplicaException known) {
                throw known;
            }
            throw lost("the request " + call.subject() + " failed", e.getCause());
        } finally {
            call.answer().cancel(false);
        }
    }

    /** Sends an idempotent request, and repeats it while the connection is broken. */
    Message request(String subject, byte @Nullable [] body) throws IOException {
        long start = System.nanoTime();
        while (true) {
            try {
                long left = timeoutNanos() - (System.nanoTime() - start);
                return await(send(subject, null, body), Math.max(left, timeoutNanos() / 4));
            } catch (LostException e) {
                if (!mayRepeat(start, e)) {
                    throw e;
                }
            }
        }
    }

    /**
     * Returns whether to retry after a loss; waits before it returns true.
     *
     * @param start time of the first attempt, by {@link System#nanoTime}
     */
    boolean mayRepeat(long start, LostException loss) throws IOException {
        long patience = Math.min(loss.unserved() ? NO_RESPONDERS_TIMEOUT_NANOS : RETRY_TIMEOUT_NANOS, timeoutNanos());
        if (System.nanoTime() - start >= patience || hasGivenUp()) {
            return false;
        }
        pause();
        return true;
    }

    private boolean hasGivenUp() {
        int most = settings.connection().maxReconnects();
        lock.lock();
        try {
            return most >= 0 && failedReconnects > most;
        } finally {
            lock.unlock();
        }
    }

    private static void pause() throws IOException {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while waiting for NATS").initCause(e);
        }
    }

    /**
     * Returns the connection. One caller opens it, without holding the lock; the others wait for the result.
     *
     * @throws LostException if it broke and cannot be replaced now
     */
    Connection connection() throws IOException {
        CompletableFuture<Connection> attempt;
        boolean mine = false;
        boolean again;
        lock.lock();
        try {
            requireOpen();
            Connection current = connection;
            if (current != null && current.getStatus() != Connection.Status.CLOSED) {
                return current;
            }
            if (connecting == null) {
                connecting = new CompletableFuture<>();
                mine = true;
            }
            attempt = connecting;
            again = wasConnected;
        } finally {
            lock.unlock();
        }
        return mine ? open(attempt, again) : join(attempt);
    }

    @GuardedBy("lock")
    private void requireOpen() throws IOException {
        if (closed) {
            throw new ReplicaClosedException(settings.url());
        }
    }

    private Connection open(CompletableFuture<Connection> attempt, boolean again) throws IOException {
        try {
            Connection opened = again ? reconnect() : connect();
            use(opened);
            attempt.complete(opened);
            return opened;
        } catch (Throwable e) {
            attempt.completeExceptionally(e);
            throw e;
        } finally {
            lock.lock();
            try {
                connecting = null;
            } finally {
                lock.unlock();
            }
        }
    }

    private void use(Connection opened) throws IOException {
        boolean late;
        lock.lock();
        try {
            late = closed;
            if (!late) {
                connection = opened;
                wasConnected = true;
                failedReconnects = 0;
            }
        } finally {
            lock.unlock();
        }
        if (late) {
            close(opened);
            throw new ReplicaClosedException(settings.url());
        }
    }

    /** Waits for another caller's attempt, which ends after the timeout of a connection to each server. */
    private Connection join(CompletableFuture<Connection> attempt) throws IOException {
        try {
            return attempt.get(timeoutNanos() * (settings.servers().size() + 1), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while waiting for NATS").initCause(e);
        } catch (TimeoutException e) {
            throw lost("no connection in time", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof ReplicaException known) {
                throw known;
            }
            throw lost("the connection is down", e.getCause());
        }
    }

    private Connection reconnect() throws IOException {
        if (isPausing()) {
            throw lost("the connection is down", lastFailure);
        }
        try {
            Connection connected = connect();
            LOG.debug("NATS connection is up again: replica={}", settings.url());
            return connected;
        } catch (ReplicaAccessException e) {
            throw e;
        } catch (ReplicaException e) {
            pauseReconnecting();
            throw lost("the connection is down", e);
        }
    }

    private boolean isPausing() {
        lock.lock();
        try {
            return failedReconnects > 0 && System.nanoTime() - notBefore < 0;
        } finally {
            lock.unlock();
        }
    }

    private void pauseReconnecting() {
        ConnectionSettings how = settings.connection();
        long jitter = (long) (ThreadLocalRandom.current().nextDouble()
                * how.reconnectJitter().toNanos());
        lock.lock();
        try {
            failedReconnects++;
            notBefore = System.nanoTime() + how.reconnectWait().toNanos() + jitter;
        } finally {
            lock.unlock();
        }
    }

    private Connection connect() throws IOException {
        String replica = settings.url();
        Options options = options();
        lastFailure = null;
        refusedCertificate = null;
        try {
            Connection connected = Nats.connect(options);
            if (connected.getStatus() != Connection.Status.CLOSED) {
                return connected;
            }
            throw new IOException("the server ended the connection");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted while connecting to NATS").initCause(e);
        } catch (IOException e) {
            CertificateException certificate = refusedCertificate;
            if (certificate != null) {
                throw new ReplicaAccessException(
                        replica,
                        "the server's certificate is not accepted: " + certificate.getMessage(),
                        "name the authority that signed it in root-cas, or connect to a host that it names",
                        certificate);
            }
            Exception reason = lastFailure;
            if (e instanceof AuthenticationException || (reason != null && isLoginFailure(reason.getMessage()))) {
                throw new ReplicaAccessException(
                        replica,
                        "the server rejects the login",
                        "correct user, password, token, key or credentials",
                        e);
            }
            throw new ReplicaException(
                    replica,
                    "no connection to any server" + (reason == null ? "" : " (" + reason.getMessage() + ")"),
                    "check that a NATS server runs there, its port, and the settings of TLS",
                    reason == null ? e : reason);
        }
    }

    private Options options() throws IOException {
        ConnectionSettings how = settings.connection();
        Options.Builder options = Options.builder()
                .servers(settings.servers().toArray(String[]::new))
                .connectionName("litestream")
                .connectionTimeout(how.timeout())
                .noReconnect()
                .pingInterval(how.pingInterval())
                .maxPingsOut(how.maxPingsOut())
                .reportNoResponders()
                .useTimeoutException()
                .connectionListener(this::connectionChanged)
                .errorListener(new Failures());
        settings.login().applyTo(options, settings.url());
        if (settings.tls().enabled()) {
            options.sslContext(settings.tls().context(settings.url(), refused -> refusedCertificate = refused))
                    .hostnameResolveMode(Options.HostnameResolveMode.HappyEyeballs) // certificates contain no addresses
                    .ignoreDiscoveredServers(); // discovered servers are addresses
        }
        return options.build();
    }

    private void connectionChanged(Connection source, ConnectionListener.Events event) {
        if (event == ConnectionListener.Events.DISCONNECTED) {
            LOG.debug("NATS connection is lost: replica={}", settings.url());
            failAll(lost("the connection broke", null));
        }
    }

    private void failAll(ReplicaException failure) {
        for (Call call : inFlight) {
            call.answer().completeExceptionally(failure);
        }
    }

    private LostException lost(String problem, @Nullable Throwable cause) {
        return new LostException(settings.url(), problem, false, cause);
    }

    /**
     * Returns whether an error of the server is a permissions violation. The server reports it separately from the
     * request, as text.
     */
    static boolean isPermissionsViolation(String error) {
        return error.toLowerCase(Locale.ROOT).startsWith("permissions violation");
    }

    /** Returns whether an error of the server is a failed login, which is also reported as text. */
    static boolean isLoginFailure(@Nullable String error) {
        String text = error == null ? "" : error.toLowerCase(Locale.ROOT);
        return text.startsWith("authorization violation")
                || text.startsWith("authentication ")
                || text.startsWith("user authentication ")
                || text.startsWith("account authentication ");
    }

    private final class Failures implements ErrorListener {

        @Override
        public void errorOccurred(Connection source, String error) {
            if (!isPermissionsViolation(error)) {
                lastFailure = new IOException(error);
                if (isLoginFailure(error)) {
                    end(source);
                }
                return;
            }
            ReplicaAccessException refused = new ReplicaAccessException(
                    settings.url(),
                    "no right: " + error,
                    "give the user the rights that docs/replicas/nats.md lists",
                    null);
            boolean ours = false;
            for (Call call : inFlight) {
                if (error.contains('"' + call.subject() + '"')) {
                    ours = true;
                    call.answer().completeExceptionally(refused);
                }
            }
            if (!ours) { // the inbox: no request gets a response, and only a new connection subscribes again
                failAll(refused);
                end(source);
            }
        }

        /** Closes the connection, because the library would report the error only after its timeout. */
        private void end(Connection source) {
            close(source);
        }

        @Override
        public void exceptionOccurred(Connection source, Exception exception) {
            lastFailure = exception;
        }
    }

    @Override
    public void close() {
        Connection last;
        lock.lock();
        try {
            closed = true;
            last = connection;
            connection = null;
        } finally {
            lock.unlock();
        }
        if (last != null) {
            close(last);
            failAll(lost("the replica client was closed", null));
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
