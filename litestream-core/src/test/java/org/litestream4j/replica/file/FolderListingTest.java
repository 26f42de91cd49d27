package org.litestream4j.replica.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

class FolderListingTest {

    private final Deque<List<LtxFileName>> scans = new ArrayDeque<>();

    /** The scan passed the place of 4 before 4 was added, and the place of 5 after 5 was added. */
    @Test
    void fileThatTheScanMissed_isListed() throws IOException {
        scans.add(names(1, 2, 3, 5));
        scans.add(names(1, 2, 3, 4, 5, 7));
        assertThat(list(0)).isEqualTo(names(1, 2, 3, 4, 5));
    }

    @Test
    void gapThatStays_isListed() throws IOException {
        scans.add(names(1, 3));
        scans.add(names(1, 3));
        assertThat(list(1)).isEqualTo(names(1, 3));
    }

    @Test
    void fileThatWasDeletedMeanwhile_isNotListed() throws IOException {
        scans.add(names(1, 2, 4));
        scans.add(names(2, 3, 4));
        assertThat(list(0)).isEqualTo(names(2, 3, 4));
    }

    @Test
    void chain_takesOneScan() throws IOException {
        List<LtxFileName> chain = List.of(name(1, 9), name(3, 4), name(10, 12));
        scans.add(chain);
        assertThat(list(2)).isEqualTo(chain);
    }

    @Test
    void snapshots_takeOneScan() throws IOException {
        scans.add(names(1, 8));
        assertThat(list(ReplicaClient.SNAPSHOT_LEVEL)).isEqualTo(names(1, 8));
    }

    @Test
    void empty_takesOneScan() throws IOException {
        scans.add(List.of());
        assertThat(list(0)).isEmpty();
    }

    private List<LtxFileName> list(int level) throws IOException {
        List<LtxFileName> listed = FolderListing.list(level, scans::remove);
        assertThat(scans).as("scans that were not made").isEmpty();
        return listed;
    }

    private static List<LtxFileName> names(long... txids) {
        return LongStream.of(txids).mapToObj(txid -> name(txid, txid)).toList();
    }

    private static LtxFileName name(long min, long max) {
        return new LtxFileName(new Txid(min), new Txid(max));
    }
}
