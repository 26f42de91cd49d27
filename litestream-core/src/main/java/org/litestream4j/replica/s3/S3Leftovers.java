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
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * Deletes the parts of multipart uploads that were neither completed nor aborted, because their process was killed or
 * the abort request was lost. Such parts are invisible, but billed. Checks with each upload in parts, for the same file,
 * and with the first deletion and then at most once a day, for all files: only the owner of the replica, which writes to
 * it, sends these requests, and an idle replica sends none. Thread-safe.
 */
final class S3Leftovers {

    /** Age that no running upload of any program reaches. */
    static final Duration SAFE_AGE = Duration.ofDays(2);

    /** Age from which an unfinished upload of the file that is being uploaded again counts as left by a killed process. */
    static final Duration SAME_FILE_AGE = Duration.ofMinutes(15);

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

    /**
     * Records that an upload has begun, and deletes what killed processes left of the same file: processes that are
     * killed again and again during the first upload would otherwise leave one incomplete image each.
     */
    void begun(String key, String uploadId) {
        running.add(uploadId);
        if (isDenied()) {
            return;
        }
        try {
            for (MultipartUpload upload : list(key)) {
                if (upload.key().equals(key) && isOlder(upload, SAME_FILE_AGE)) {
                    abort(upload);
                }
            }
        } catch (SdkException e) {
            failed(e);
        } catch (IOException e) { // interrupted or closed
            LOG.debug("looking for earlier uploads ended: replica={} file={}", settings.url(), key, e);
        }
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
            for (MultipartUpload upload : list(keys.root())) {
                if (isOlder(upload, SAFE_AGE) && keys.isFile(upload.key())) {
                    abort(upload);
                    discarded++;
                }
            }
            if (discarded > 0) {
                LOG.info(
                        "unfinished uploads of earlier days discarded: replica={} count={}", settings.url(), discarded);
            }
        } catch (SdkException e) {
            failed(e);
        } catch (IOException e) { // interrupted or closed
            LOG.debug("looking for unfinished uploads ended: replica={}", settings.url(), e);
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

    private synchronized boolean isDenied() {
        return next == null;
    }

    /** Returns the first thousand uploads; the next check returns the others. */
    private List<MultipartUpload> list(String prefix) throws IOException {
        return calls.run(RequestType.LIST, 0, client -> client.listMultipartUploads(
                        request -> request.bucket(settings.bucket()).prefix(prefix))
                .uploads());
    }

    private boolean isOlder(MultipartUpload upload, Duration age) {
        Instant initiated = requireNonNull(upload.initiated());
        return initiated.isBefore(clock.instant().minus(age)) && !running.contains(upload.uploadId());
    }

    private void abort(MultipartUpload upload) throws IOException {
        try {
            calls.run(
                    RequestType.MULTIPART_ABORT,
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
            LOG.debug("looking for unfinished uploads failed: replica={}", settings.url(), e);
            return;
        }
        synchronized (this) {
            next = null;
        }
        LOG.info(
                "cannot list unfinished uploads of killed processes, allow s3:ListBucketMultipartUploads and"
                        + " s3:AbortMultipartUpload, or give the bucket a lifecycle rule"
                        + " AbortIncompleteMultipartUpload: replica={} status={} code={}",
                settings.url(),
                S3Failures.status(e),
                S3Failures.code(e));
    }
}
