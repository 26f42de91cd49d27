package org.litestream4j.replica.s3;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ObjectVersion;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;

/** Checks that a store locks objects: writes a small one with a short lock, and tries to delete it. */
final class S3LockCheck {

    /** Lock of the object; longer than clocks may differ. */
    static final Duration RETAIN = Duration.ofMinutes(20);

    private static final Logger LOG = LoggerFactory.getLogger(S3LockCheck.class);

    private final S3Context context;
    private final ObjectLock lock;
    private final Clock clock;

    S3LockCheck(S3Context context, ObjectLock lock, Clock clock) {
        this.context = context;
        this.lock = lock;
        this.clock = clock;
    }

    /** @throws ReplicaAccessException if the store does not lock objects */
    void run() throws IOException {
        String key = context.keys().lockCheck();
        Instant until = clock.instant().plus(RETAIN);
        String version = write(key, until).versionId();
        if (version == null || version.equals("null")) {
            throw unlocked("the bucket keeps no versions", null);
        }
        HeadObjectResponse head = head(key, version);
        if (head.objectLockMode() != lock.mode().sdk() || head.objectLockRetainUntilDate() == null) {
            throw unlocked("it stores the object without a lock", null);
        }
        if (head.objectLockRetainUntilDate().isBefore(until.minusSeconds(1))) {
            throw unlocked("it locks until " + head.objectLockRetainUntilDate() + " instead of " + until, null);
        }
        if (delete(key, version)) {
            throw unlocked("it deletes a locked object", null);
        }
        cleanUp(key);
    }

    private PutObjectResponse write(String key, Instant until) throws IOException {
        byte[] content = ("litestream4j object lock check " + clock.instant() + "\n").getBytes(StandardCharsets.UTF_8);
        try {
            return context.calls()
                    .run(
                            RequestType.PUT,
                            content.length,
                            client -> client.putObject(
                                    request -> request.bucket(context.settings().bucket())
                                            .key(key)
                                            .objectLockMode(lock.mode().sdk())
                                            .objectLockRetainUntilDate(until),
                                    RequestBody.fromBytes(content)));
        } catch (SdkException e) {
            if (S3Failures.status(e) == 400 || S3Failures.isUnsupported(e)) {
                throw unlocked(
                        "it answered " + S3Failures.status(e) + " " + S3Failures.code(e) + " to a write with a lock",
                        e);
            }
            throw context.failures().translate(e, "write " + key + " with a lock");
        }
    }

    private HeadObjectResponse head(String key, String version) throws IOException {
        try {
            return context.calls()
                    .run(
                            RequestType.HEAD,
                            0,
                            client -> client.headObject(
                                    request -> request.bucket(context.settings().bucket())
                                            .key(key)
                                            .versionId(version)));
        } catch (SdkException e) {
            throw context.failures().translate(e, "read the lock of " + key);
        }
    }

    /** Returns whether the store has deleted the version. */
    private boolean delete(String key, String version) throws IOException {
        try {
            context.calls()
                    .run(
                            RequestType.DELETE,
                            0,
                            client -> client.deleteObject(
                                    request -> request.bucket(context.settings().bucket())
                                            .key(key)
                                            .versionId(version)));
            return true;
        } catch (SdkException e) {
            if (S3Failures.mayPass(e)) {
                throw context.failures().translate(e, "check the lock of " + key);
            }
            return false;
        }
    }

    /** Deletes the objects of earlier checks. */
    private void cleanUp(String key) throws IOException {
        try {
            var versions = context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectVersions(request ->
                                    request.bucket(context.settings().bucket()).prefix(key)));
            Instant limit = clock.instant().minus(RETAIN.multipliedBy(2));
            for (ObjectVersion old : versions.versions()) {
                if (old.key().equals(key) && old.lastModified().isBefore(limit)) {
                    delete(key, old.versionId());
                }
            }
        } catch (SdkException e) {
            LOG.debug(
                    "objects of earlier lock checks remain: replica={}",
                    context.settings().url(),
                    e);
        }
    }

    private ReplicaAccessException unlocked(String how, @Nullable SdkException cause) {
        return new ReplicaAccessException(
                context.settings().url(),
                "the store does not honour object-lock: " + how,
                "create a bucket with Object Lock (and versioning) on a store that supports it, or remove object-lock",
                cause);
    }
}
