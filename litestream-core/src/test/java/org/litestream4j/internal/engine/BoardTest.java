package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.engine.CaptureState.History;
import org.litestream4j.internal.replication.Verdict;
import org.litestream4j.ltx.Txid;

class BoardTest {

    private static final Txid NEWEST = new Txid(7);

    private final Board board = new Board();

    @Test
    void change_isSeenByEachSubscriber() {
        List<String> seen = new ArrayList<>();
        board.subscribe((before, after) -> seen.add(before.conflict() + " " + after.conflict()));
        board.subscribe((before, after) -> seen.add("second"));

        board.publishConflict();

        assertThat(seen).containsExactly("false true", "second");
    }

    @Test
    void sameStateAgain_isNoChange() {
        board.publish(upload(Verdict.continues(NEWEST), 1, 0, 1));
        List<Board.View> seen = new ArrayList<>();
        board.subscribe((before, after) -> seen.add(after));

        board.publish(upload(Verdict.continues(NEWEST), 1, 0, 1));

        assertThat(seen).isEmpty();
    }

    @Test
    void beforeTheFirstComparison_nothingIsKnown() {
        assertThat(board.now().verdict()).isNull();
        assertThat(board.now().isContinuing()).isFalse();
    }

    @Test
    void verdictAboutALostLocalState_isUnknown() {
        board.publish(upload(Verdict.continues(NEWEST), 1, 0, 1));
        assertThat(board.now().isContinuing()).isTrue();

        board.publish(capture(1, 0));

        assertThat(board.now().verdict()).isNull();
        assertThat(board.now().isContinuing()).isFalse();
    }

    @Test
    void divergedVerdict_continuesOnceItIsAnsweredAndFollowed() {
        Verdict diverged = Verdict.diverged(NEWEST, "another writer");
        board.publish(upload(diverged, 2, 0, 1));
        assertThat(board.now().verdict()).isEqualTo(diverged);

        board.publish(capture(0, 2));
        assertThat(board.now().verdict()).isEqualTo(Verdict.continues(NEWEST));
        assertThat(board.now().isContinuing())
                .as("uploads follow the old verdict")
                .isFalse();

        board.publish(upload(diverged, 2, 0, 2));
        assertThat(board.now().isContinuing()).isTrue();
    }

    @Test
    void newVerdict_isNotAnsweredByAnOldImage() {
        board.publish(capture(0, 2));

        board.publish(upload(Verdict.diverged(NEWEST, "again"), 3, 0, 2));

        assertThat(board.now().verdict()).isEqualTo(Verdict.diverged(NEWEST, "again"));
    }

    private static UploadState upload(@Nullable Verdict verdict, int number, int localStates, int followed) {
        return new UploadState(verdict, number, localStates, followed, null, NEWEST, 0, null, false);
    }

    private static CaptureState capture(int localStates, int answered) {
        return new CaptureState(true, false, false, false, NEWEST, localStates, History.FIRST, answered, 0);
    }
}
