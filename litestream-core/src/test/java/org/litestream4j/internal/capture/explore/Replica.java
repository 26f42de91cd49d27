package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Path;
import org.litestream4j.internal.capture.EngineUnderTest;
import org.litestream4j.internal.capture.explore.Violation.Kind;
import org.litestream4j.ltx.Txid;

/** What was uploaded, as a restore would show it, against what SQLite counted as committed. */
final class Replica {

    private final History history;
    private final Pages pages = new Pages();
    private Txid newest = Txid.NONE;
    private int place = -1;

    Replica(History history) {
        this.history = history;
    }

    Txid newest() {
        return newest;
    }

    String hash() {
        return pages.hash();
    }

    /** How many states it is behind. */
    int lag() {
        return history.size() - place;
    }

    /** Takes what may be uploaded: each transaction must lead to a state that was, in the same order. */
    void takeFrom(EngineUnderTest engine) throws Violation {
        try {
            for (Path file : engine.filesAfter(newest)) {
                pages.apply(file);
                newest = EngineUnderTest.newestOf(file);
                int next = history.place(pages.hash());
                if (next < 0 || next < place) {
                    throw new Violation(
                            Kind.NEVER_COMMITTED,
                            "transaction " + newest + " leads to " + history.describe(pages.hash())
                                    + ", the one before it to state " + place);
                }
                place = next;
            }
        } catch (IOException e) {
            throw new Violation(Kind.UNEXPECTED, "a level-0 file cannot be read", e);
        }
    }

    /** Everything counts as captured after an action. */
    void requireCurrent(String action) throws Violation {
        if (!hash().equals(history.current())) {
            throw new Violation(
                    Kind.LOST,
                    "after " + action + ", transaction " + newest + " leads to " + history.describe(hash())
                            + "; SQLite shows " + history.describe(history.current()));
        }
    }
}
