package org.litestream4j.replica.s3;

import org.litestream4j.replica.ReplicaAccessException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Whether uploads carry {@code If-None-Match: *}: as set, and as the store turns out to understand. One for files sent
 * whole and one for files sent in parts, as stores may know the condition for one of them only. Thread-safe.
 */
final class S3Fence {

    private static final Logger LOG = LoggerFactory.getLogger(S3Fence.class);

    private final S3Settings settings;

    private final String writes;

    private volatile boolean conditional;

    /** @param writes which files, for the log */
    S3Fence(S3Settings settings, String writes) {
        this.settings = settings;
        this.writes = writes;
        this.conditional = settings.conditionalWrites() != ConditionalWrites.OFF;
    }

    boolean isConditional() {
        return conditional;
    }

    /** Whether a conditional write that failed so may be tried without its condition. */
    boolean mayGoWithout(SdkException e) {
        return settings.conditionalWrites() == ConditionalWrites.AUTO && conditional && S3Failures.isUnsupported(e);
    }

    /** Whether a conditional write failed so because the store does not know the condition, and it was asked for. */
    boolean isRefusedForGood(SdkException e) {
        return settings.conditionalWrites() == ConditionalWrites.ON && S3Failures.isUnsupported(e);
    }

    ReplicaAccessException refused(SdkException e) {
        return new ReplicaAccessException(
                settings.url(),
                "the store does not support conditional writes: it answered " + S3Failures.status(e) + " "
                        + S3Failures.code(e) + " to a write with If-None-Match",
                "set conditional-writes to auto or off",
                e);
    }

    /** To be called when a write succeeded without the condition that had been refused: it was the condition. */
    void dropped() {
        if (conditional) {
            conditional = false;
            LOG.warn(
                    "replica={} the store does not support conditional writes (If-None-Match) of {}: two processes that"
                            + " write to this replica at the same moment are not told apart; conditional-writes=off"
                            + " silences this",
                    settings.url(),
                    writes);
        }
    }
}
