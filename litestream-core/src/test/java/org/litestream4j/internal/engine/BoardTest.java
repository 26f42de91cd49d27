package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.litestream4j.internal.engine.CaptureState.History;
import org.litestream4j.internal.replication.ReplicaComparison;
import org.litestream4j.ltx.Txid;

class BoardTest {

    private static final Txid NEWEST = new Txid(7);

    private final LaneStates laneStates = new LaneStates();

    @Test
    void change_isSeenByEachSubscriber() {
        List<String> seen = new ArrayList<>();
        laneStates.subscribe((before, after) -> seen.add(before.conflict() + " " + after.conflict()));
        laneStates.subscribe((before, after) -> seen.add("second"));

        laneStates.publishConflict();

        assertThat(seen).containsExactly("false true", "second");
    }

    @Test
    void sameStateAgain_isNoChange() {
        laneStates.publish(upload(ReplicaComparison.continues(NEWEST), 1, 0, 1));
        List<LaneStates.View> seen = new ArrayList<>();
        laneStates.subscribe((before, after) -> seen.add(after));

        laneStates.publish(upload(ReplicaComparison.continues(NEWEST), 1, 0, 1));

        assertThat(seen).isEmpty();
    }

    @Test
    void beforeTheFirstComparison_nothingIsKnown() {
        assertThat(laneStates.now().comparison()).isNull();
        assertThat(laneStates.now().isContinuing()).isFalse();
    }

    @Test
    void verdictAboutALostLocalState_isUnknown() {
        laneStates.publish(upload(ReplicaComparison.continues(NEWEST), 1, 0, 1));
        assertThat(laneStates.now().isContinuing()).isTrue();

        laneStates.publish(capture(1, 0));

        assertThat(laneStates.now().comparison()).isNull();
        assertThat(laneStates.now().isContinuing()).isFalse();
    }

    @Test
    void divergedVerdict_continuesOnceItIsAnsweredAndFollowed() {
        ReplicaComparison diverged = ReplicaComparison.diverged(NEWEST, "another writer");
        laneStates.publish(upload(diverged, 2, 0, 1));
        assertThat(laneStates.now().comparison()).isEqualTo(diverged);

        laneStates.publish(capture(0, 2));
        assertThat(laneStates.now().comparison()).isEqualTo(ReplicaComparison.continues(NEWEST));
        assertThat(laneStates.now().isContinuing())
                .as("uploads follow the old verdict")
                .isFalse();

        laneStates.publish(upload(diverged, 2, 0, 2));
        assertThat(laneStates.now().isContinuing()).isTrue();
    }

    @Test
    void newVerdict_isNotAnsweredByAnOldImage() {
        laneStates.publish(capture(0, 2));

        laneStates.publish(upload(ReplicaComparison.diverged(NEWEST, "again"), 3, 0, 2));

        assertThat(laneStates.now().comparison()).isEqualTo(ReplicaComparison.diverged(NEWEST, "again"));
    }

    private static UploadState upload(
            @Nullable ReplicaComparison comparison, int number, int localStates, int followed) {
        return new UploadState(comparison, number, localStates, followed, null, NEWEST, 0, null, false);
    }

    private static CaptureState capture(int localStates, int imagedComparison) {
        return new CaptureState(true, false, false, false, NEWEST, localStates, History.FIRST, imagedComparison, 0);
    }
}
