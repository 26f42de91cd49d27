package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreProgress.Phase;

/** What the caller hears of a restore, how it ends one, and what it may ask before. */
class RestoreCallerTest extends RestoreFixture {

    @Test
    void restore_cancelled_stopsAndLeavesNothing() throws IOException {
        model.commit(300, 0);
        model.commit(300, 30);
        AtomicInteger asked = new AtomicInteger();
        for (int after : new int[] {0, 1}) {
            asked.set(0);
            client.breakStream(1, 10);
            assertFails(
                    () -> restore(RestoreOptions.builder()
                            .cancelled(() -> asked.getAndIncrement() >= after)
                            .build()),
                    Reason.CANCELLED);
        }
    }

    /** An interrupt closes the file that is being written; it is not a problem of the disk. */
    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"PLANNING", "READING"})
    void restore_callerInterruptedInAPhase_isCancelled(Phase phase) throws IOException {
        model.commit(300, 0);
        RestoreOptions options = interruptedIn(phase);
        try {
            assertThatThrownBy(() -> restore(options))
                    .isInstanceOfSatisfying(
                            RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CANCELLED))
                    .hasMessageNotContaining("null");
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
        assertThat(target.getParent())
                .satisfiesAnyOf(folder -> assertThat(folder).doesNotExist(), folder -> assertThat(folder)
                        .isEmptyDirectory());
    }

    /** Nothing is read or written any more; to report the file that has its name as cancelled would be false. */
    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"CHECKING", "PUBLISHING", "DONE"})
    void restore_callerInterruptedAtTheEnd_isComplete(Phase phase) throws IOException {
        model.commit(300, 0);
        try {
            restore(interruptedIn(phase));
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
        assertThat(target).hasBinaryContent(model.latest());
    }

    private static RestoreOptions interruptedIn(Phase phase) {
        return RestoreOptions.builder()
                .listener(progress -> {
                    if (progress.phase() == phase) {
                        Thread.currentThread().interrupt();
                    }
                })
                .build();
    }

    @Test
    void restore_callerInterrupted_endsWithoutLosingTheInterrupt() throws IOException {
        model.commit(300, 0);
        client.before(Call.OPEN, 2, () -> {});
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> restore(RestoreOptions.defaults())).isInstanceOf(IOException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
        assertThat(target).doesNotExist();
    }

    @Test
    void restore_listener_hearsAllPhasesInOrder() throws IOException {
        model.commit(300, 0);
        List<RestoreProgress> heard = new ArrayList<>();
        restore(RestoreOptions.builder().listener(heard::add).build());
        assertThat(heard.stream().map(RestoreProgress::phase).distinct())
                .containsExactly(Phase.PLANNING, Phase.READING, Phase.CHECKING, Phase.PUBLISHING, Phase.DONE);
        RestoreProgress last = heard.get(heard.size() - 1);
        assertThat(last.bytes()).isEqualTo(last.totalBytes()).isEqualTo(size(0, 1));
        assertThat(last.pages()).isEqualTo(last.totalPages()).isEqualTo(300);
        assertThat(last.files()).isEqualTo(last.totalFiles()).isEqualTo(1);
        assertThat(last.remaining().orElse(Duration.ZERO)).isZero();
    }

    @Test
    void plan_replica_readsNoFile() throws IOException {
        model.commit(3, 0);
        model.commit(3, 1);
        RestorePlan plan = Restore.plan(client, RestoreOptions.defaults());
        assertThat(plan.txid()).isEqualTo(new Txid(2));
        assertThat(plan.files()).hasSize(2);
        assertThat(client.calls(Call.OPEN)).isZero();
        assertThat(Restore.range(client))
                .contains(new RestorableRange(
                        new Txid(1), ModelReplica.timestamp(1), new Txid(2), ModelReplica.timestamp(2)));
    }
}
