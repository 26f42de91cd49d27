package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Path;
import org.litestream4j.internal.capture.EngineUnderTest;
import org.litestream4j.internal.capture.explore.Violation.Kind;
import org.litestream4j.ltx.Txid;

/** What was uploaded, as a restore would show it, against what SQLite counted as committed. */
final class Replica {

    private final Content content;
    private final History history;
    private final Pages pages = new Pages();
    private Txid newest = Txid.NONE;
    private int place = -1;

    Replica(Content content) {
        this.content = content;
        this.history = content.history();
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
                if ((next < 0 || next < place) && !content.isDoubtful()) {
                    throw new Violation(
                            Kind.NEVER_COMMITTED,
                            "transaction " + newest + " leads to " + history.describe(pages.hash())
                                    + ", the one before it to state " + place);
                }
                place = Math.max(place, next);
            }
        } catch (IOException e) {
            throw new Violation(Kind.UNEXPECTED, "a level-0 file cannot be read", e);
        }
    }

    /**
     * Everything that was committed before an action counts as captured.
     *
     * @param least the state before the action
     */
    void requireNotBefore(int least, String action) throws IOException, Violation {
        content.settleDoubt(hash());
        if (content.isDoubtful()) {
            return; // until it is noticed
        }
        int shown = history.place(hash());
        if (shown < least) {
            throw new Violation(
                    Kind.LOST,
                    "after " + action + ", transaction " + newest + " leads to " + history.describe(hash())
                            + "; SQLite showed state " + least + " before, and shows "
                            + history.describe(history.current()));
        }
        place = shown;
    }
}
