package org.litestream4j.drill;

/** Outcome of a drill. */
public enum DrillOutcome {
    /** Everything that was restored is sound. */
    PASSED,
    /** A finding: a state cannot be restored, is damaged or outdated, or fails a check of the user. */
    FAILED,
    /** Nothing is proved: the drill could not run to its end, for example because the store could not be reached. */
    INCONCLUSIVE
}
