package org.litestream4j.copy;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;
import org.litestream4j.error.RemedyException;

/** Thrown if the target contains files that are not from the source. Nothing was overwritten or deleted. */
public final class CopyException extends RemedyException {

    private static final long serialVersionUID = 1L;

    /** Reasons for the failure of a copy. */
    public enum Reason {
        /** A file of the target has the name of another file of the source. */
        DIFFERENT,
        /** The target contains transactions that the source does not contain. */
        AHEAD,
        /** The target contains files, but none of them is in the source. */
        UNRELATED
    }

    private final Reason reason;

    CopyException(Reason reason, String target, String problem, String remedy, @Nullable Throwable cause) {
        super(target, problem, remedy, cause);
        this.reason = requireNonNull(reason, "reason");
    }

    public Reason reason() {
        return reason;
    }

    /** Returns the address of the target, without secrets. */
    public String target() {
        return subject();
    }
}
