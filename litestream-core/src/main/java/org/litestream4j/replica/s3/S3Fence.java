package org.litestream4j.replica.s3;

import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Decides whether uploads carry {@code If-None-Match: *}, and whether the condition is effective, based on the settings
 * and the observed behaviour of the store. A store may reject the condition, or accept it and overwrite the file
 * nevertheless. There is one instance for files sent whole and one for files sent in parts, because a store may support
 * the condition for only one of them. Thread-safe.
 */
final class S3Fence {

    private static final Logger LOG = LoggerFactory.getLogger(S3Fence.class);

    private enum Trust {
        /** The condition is sent, but its effect is not known yet: the name is checked before the write. */
        UNKNOWN,
        /** The store has rejected a taken name, or is known to do so. */
        PROVEN,
        /** The condition is not sent: the name is checked before the write. */
        NONE,
        /** The condition was sent, and the store overwrote the file nevertheless. */
        BROKEN
    }

    private final S3Settings settings;

    private final String writes;

    private volatile Trust trust;

    /** @param writes description of the files, for the log */
    S3Fence(S3Settings settings, String writes) {
        this.settings = settings;
        this.writes = writes;
        if (settings.conditionalWrites() == ConditionalWrites.OFF) {
            trust = Trust.NONE;
        } else {
            trust = settings.vendor().refusesTakenNames() ? Trust.PROVEN : Trust.UNKNOWN;
        }
    }

    /**
     * Returns whether writes carry the condition.
     *
     * @throws ReplicaAccessException if the condition is required, and the store is known to ignore it
     */
    boolean isConditional() throws ReplicaAccessException {
        if (trust == Trust.BROKEN) {
            throw refused("it overwrote a file in spite of If-None-Match", null);
        }
        return trust != Trust.NONE;
    }

    /** Returns whether the store is known to reject taken names, so that no check before a write is needed. */
    boolean isProven() {
        return trust == Trust.PROVEN;
    }

    /** Records that the store rejected a name because it is taken. */
    void honored() {
        if (trust == Trust.UNKNOWN) {
            trust = Trust.PROVEN;
        }
    }

    /** Records that a file was overwritten despite the condition. */
    void ignored() {
        if (settings.conditionalWrites() == ConditionalWrites.ON) {
            trust = Trust.BROKEN;
        } else {
            fallBack("ignores");
        }
    }

    /** Returns whether a conditional write that failed with this exception may be repeated without the condition. */
    boolean mayFallBack(SdkException e) {
        return settings.conditionalWrites() == ConditionalWrites.AUTO && S3Failures.isUnsupported(e);
    }

    /**
     * Returns whether a conditional write failed because the store does not support the condition, and the condition is
     * required.
     */
    boolean isRefusedForGood(SdkException e) {
        return settings.conditionalWrites() == ConditionalWrites.ON && S3Failures.isUnsupported(e);
    }

    ReplicaAccessException refused(SdkException e) {
        return refused(
                "it answered " + S3Failures.status(e) + " " + S3Failures.code(e) + " to a write with If-None-Match", e);
    }

    private ReplicaAccessException refused(String how, @Nullable SdkException e) {
        return new ReplicaAccessException(
                settings.url(),
                "the store does not support conditional writes: " + how,
                "set conditional-writes to auto or off",
                e);
    }

    /** Records that a write succeeded without the condition after it had failed with it. */
    void dropped() {
        fallBack("refuses");
    }

    private void fallBack(String what) {
        if (trust != Trust.NONE) {
            trust = Trust.NONE;
            LOG.warn(
                    "the store {} conditional writes (If-None-Match) of {}, two processes that write to this replica at"
                            + " the same moment cannot be detected; conditional-writes=off silences this: replica={}",
                    what,
                    writes,
                    settings.url());
        }
    }
}
