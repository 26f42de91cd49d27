package org.litestream4j.replica.s3;

import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Whether uploads carry {@code If-None-Match: *}, and whether that can be relied on: as set, and as the store turns out to
 * behave. Stores may refuse the condition, or take it and overwrite all the same. One for files sent whole and one for files
 * sent in parts, as stores may know the condition for one of them only. Thread-safe.
 */
final class S3Fence {

    private static final Logger LOG = LoggerFactory.getLogger(S3Fence.class);

    private enum Trust {
        /** The condition is sent, and nothing is known yet of what it does: we look first. */
        UNKNOWN,
        /** The store has refused a name that was taken, or is one that is known to. */
        PROVEN,
        /** The condition is not sent: we look first. */
        NONE,
        /** The condition was asked for, and the store overwrote all the same. */
        BROKEN
    }

    private final S3Settings settings;

    private final String writes;

    private volatile Trust trust;

    /** @param writes which files, for the log */
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
     * Whether writes carry the condition.
     *
     * @throws ReplicaAccessException if they must, and the store is known to ignore it
     */
    boolean isConditional() throws ReplicaAccessException {
        if (trust == Trust.BROKEN) {
            throw refused("it overwrote a file in spite of If-None-Match", null);
        }
        return trust != Trust.NONE;
    }

    /** Whether the store is known to refuse a name that is taken, so that no look before a write is needed. */
    boolean isProven() {
        return trust == Trust.PROVEN;
    }

    /** To be called when the store refused a name because it is taken. */
    void obeyed() {
        if (trust == Trust.UNKNOWN) {
            trust = Trust.PROVEN;
        }
    }

    /** To be called when a file was overwritten in spite of the condition. */
    void ignored() {
        if (settings.conditionalWrites() == ConditionalWrites.ON) {
            trust = Trust.BROKEN;
        } else {
            goWithout("ignores");
        }
    }

    /** Whether a conditional write that failed so may be tried without its condition. */
    boolean mayGoWithout(SdkException e) {
        return settings.conditionalWrites() == ConditionalWrites.AUTO && S3Failures.isUnsupported(e);
    }

    /** Whether a conditional write failed so because the store does not know the condition, and it was asked for. */
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

    /** To be called when a write succeeded without the condition that had been refused: it was the condition. */
    void dropped() {
        goWithout("refuses");
    }

    private void goWithout(String what) {
        if (trust != Trust.NONE) {
            trust = Trust.NONE;
            LOG.warn(
                    "replica={} the store {} conditional writes (If-None-Match) of {}: two processes that write to this"
                            + " replica at the same moment cannot be detected; conditional-writes=off silences this",
                    settings.url(),
                    what,
                    writes);
        }
    }
}
