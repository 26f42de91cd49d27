package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.RequestListener.Operation;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * Deletes the parts of multipart uploads that were neither completed nor aborted, because their process was killed or
 * the abort request was lost. Such parts are invisible, but billed. Checks with the first deletion and then at most
 * once a day: only the owner of the replica, which deletes from it, sends these requests, and an idle replica sends
 * none. Thread-safe.
 */
final class S3Leftovers {

    /** Age that no running upload of any program reaches. */
    static final Duration SAFE_AGE = Duration.ofDays(2);

    private static final Logger LOG = LoggerFactory.getLogger(S3Leftovers.class);

    private static final Duration BETWEEN = Duration.ofDays(1);

    private final S3Settings settings;

    private final S3Keys keys;

    private final S3Calls calls;

    private final Clock clock;

    /** Ids of the running uploads of this client. */
    private final Set<String> running = ConcurrentHashMap.newKeySet();

    @GuardedBy("this")
    private @Nullable Instant next = Instant.MIN; // null for never

    S3Leftovers(S3Settings settings, S3Keys keys, S3Calls calls, Clock clock) {
        this.settings = settings;
        this.keys = keys;
        this.calls = calls;
        this.clock = clock;
    }

    void begun(String uploadId) {
        running.add(uploadId);
    }

    void ended(String uploadId) {
        running.remove(uploadId);
    }

    /** Checks for left-over parts, if a check is due, and deletes them. Failed deletions are repeated by the next check. */
    void discard() {
        if (!isDue()) {
            return;
        }
        try {
            int discarded = 0;
            for (MultipartUpload upload : list()) {
                if (isLeftOver(upload)) {
                    abort(upload);
                    discarded++;
                }
            }
            if (discarded > 0) {
                LOG.info(
                        "replica={} unfinished uploads of earlier days discarded: count={}", settings.url(), discarded);
            }
        } catch (SdkException e) {
            failed(e);
        } catch (IOException e) { // interrupted or closed
            LOG.debug("replica={} looking for unfinished uploads ended", settings.url(), e);
        }
    }

    private synchronized boolean isDue() {
        Instant now = clock.instant();
        if (next == null || now.isBefore(next)) {
            return false;
        }
        next = now.plus(BETWEEN);
        return true;
    }

    /** Returns the first thousand uploads; the next check returns the others. */
    private List<MultipartUpload> list() throws IOException {
        return calls.run(Operation.LIST, 0, client -> client.listMultipartUploads(
                        request -> request.bucket(settings.bucket()).prefix(keys.root()))
                .uploads());
    }

    private boolean isLeftOver(MultipartUpload upload) {
        Instant initiated = requireNonNull(upload.initiated());
        return initiated.isBefore(clock.instant().minus(SAFE_AGE))
                && !running.contains(upload.uploadId())
                && keys.isFile(upload.key());
    }

    private void abort(MultipartUpload upload) throws IOException {
        try {
            calls.run(
                    Operation.MULTIPART_ABORT,
                    0,
                    client -> client.abortMultipartUpload(request ->
                            request.bucket(settings.bucket()).key(upload.key()).uploadId(upload.uploadId())));
        } catch (SdkException e) {
            if (!S3Failures.isMissing(e)) {
                throw e;
            }
        }
    }

    private void failed(SdkException e) {
        if (S3Failures.mayPass(e)) {
            LOG.debug("replica={} looking for unfinished uploads failed", settings.url(), e);
            return;
        }
        synchronized (this) {
            next = null;
        }
        LOG.info(
                "replica={} cannot list unfinished uploads of killed processes (status={} code={}): allow"
                        + " s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or give the bucket a lifecycle"
                        + " rule AbortIncompleteMultipartUpload",
                settings.url(),
                S3Failures.status(e),
                S3Failures.code(e));
    }
}
