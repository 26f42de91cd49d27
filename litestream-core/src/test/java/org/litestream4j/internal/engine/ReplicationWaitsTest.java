package org.litestream4j.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.litestream4j.internal.engine.ReplicationWaits.Urgency;
import org.litestream4j.ltx.Txid;

class ReplicationWaitsTest {

    private final ReplicationWaits waits = new ReplicationWaits();

    @Test
    void capturedAndReplicated_isOver() {
        commitCapturedIn(5);
        assertThat(waits.isAnyone()).isTrue();
        waits.replicated(new Txid(5));
        assertThat(waits.isAnyone()).isFalse();
    }

    /** A replica that lost its files is continued with lower TXIDs. */
    @Test
    void captureAfterALoss_isNotCoveredByTheFormerPosition() {
        waits.replicated(new Txid(10));
        waits.positionLost();
        waits.restarted(new Txid(1));
        commitCapturedIn(2);
        assertThat(waits.isAnyone()).isTrue();
        waits.replicated(new Txid(1));
        assertThat(waits.isAnyone()).isTrue();
        waits.replicated(new Txid(2));
        assertThat(waits.isAnyone()).isFalse();
    }

    private void commitCapturedIn(long txid) {
        waits.begin(Urgency.NOW);
        waits.captured(waits.newest(), new Txid(txid));
    }
}
