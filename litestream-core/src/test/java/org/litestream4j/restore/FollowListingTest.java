package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.FollowListing.Found;

/** How many listings a look costs, and what it finds. */
class FollowListingTest {

    @TempDir
    Path temp;

    private ReplicaClient files;
    private FaultyReplicaClient client;
    private ModelReplica model;
    private FollowListing listing;
    private long nanos;

    @BeforeEach
    void makeReplica() throws Exception {
        files = FileReplicaProvider.at(temp);
        client = new FaultyReplicaClient(files);
        model = new ModelReplica(files, 512, 1);
        listing = new FollowListing(client, () -> nanos);
        for (int i = 0; i < 5; i++) {
            model.commit(4, 2);
        }
        model.snapshot(1);
    }

    private Found look(long position, int listings) throws Exception {
        int before = client.calls(Call.LIST);
        Found found = listing.after(new Txid(position));
        assertThat(client.calls(Call.LIST) - before).as("listings").isEqualTo(listings);
        return found;
    }

    private static List<String> names(Found found) {
        return found.files().stream()
                .map(LtxFileInfo::name)
                .map(name -> name.min().value() + "-" + name.max().value())
                .toList();
    }

    @Test
    void firstLook_listsAllLevels_laterOnesLevel0() throws Exception {
        assertThat(names(look(3, 10))).containsExactly("4-4", "5-5");
        assertThat(names(look(5, 1))).isEmpty();
        assertThat(names(look(5, 1))).isEmpty();
        model.commit(4, 1);
        assertThat(names(look(5, 1))).containsExactly("6-6");
    }

    @Test
    void holeInLevel0_isFilledFromOtherLevels() throws Exception {
        look(5, 10);
        for (int i = 0; i < 4; i++) {
            model.commit(4, 1);
        }
        model.merge(0, 1, 4, 7);
        files.delete(0, List.of(LtxFileName.of(new Txid(6)), LtxFileName.of(new Txid(7))));
        assertThat(names(look(5, 11))).containsExactly("4-7", "8-8", "9-9");
    }

    @Test
    void onlySnapshotLeadsOn_isOvertaken() throws Exception {
        look(5, 10);
        model.commit(4, 1);
        model.commit(4, 1);
        model.snapshot(6);
        files.delete(0, List.of(LtxFileName.of(new Txid(6))));
        Found found = look(5, 11);
        assertThat(found.isOvertaken()).isTrue();
        assertThat(found.files()).isEmpty();
    }

    @Test
    void replicaEndsBefore_isBehind() throws Exception {
        Found found = look(9, 10);
        assertThat(found.isBehind()).isTrue();
        assertThat(found.newest()).isEqualTo(new Txid(5));
    }

    @Test
    void failedLook_isFollowedByOneAtAllLevels() throws Exception {
        look(5, 10);
        client.failBefore(Call.LIST, 1);
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> look(5, 1)).hasMessageContaining("fault");
        look(5, 10);
        look(5, 1);
    }

    @Test
    void whatWasListed_isTakenBitByBitWithoutAnotherListing() throws Exception {
        look(5, 10);
        for (int i = 0; i < 5; i++) {
            model.commit(4, 1);
        }
        assertThat(names(look(5, 1))).containsExactly("6-6", "7-7", "8-8", "9-9", "10-10");
        assertThat(names(look(7, 0))).containsExactly("8-8", "9-9", "10-10");
        model.commit(4, 1);
        assertThat(names(look(9, 0))).containsExactly("10-10");
        assertThat(names(look(10, 1))).containsExactly("11-11");
    }

    @Test
    void whatWasListed_isListedAnewAfterAMinuteOrAFailure() throws Exception {
        assertThat(names(look(1, 10))).containsExactly("2-2", "3-3", "4-4", "5-5");
        listing.listAllLevels();
        assertThat(names(look(2, 10))).containsExactly("3-3", "4-4", "5-5");
        nanos += Duration.ofSeconds(61).toNanos();
        assertThat(names(look(3, 10))).containsExactly("4-4", "5-5");
    }

    @Test
    void whatWasListed_isNotTakenAcrossAHole() throws Exception {
        look(5, 10);
        for (int i = 0; i < 3; i++) {
            model.commit(4, 1);
        }
        look(5, 1);
        assertThat(names(look(4, 1))).containsExactly("5-5", "6-6", "7-7", "8-8");
    }

    @Test
    void emptiedReplica_isBehindWithinAMinute() throws Exception {
        look(5, 10);
        for (int level : List.of(0, 9)) {
            List<LtxFileName> names = new ArrayList<>();
            files.list(level, Txid.NONE, file -> names.add(file.name()));
            files.delete(level, names);
        }
        assertThat(look(5, 1).isBehind()).isFalse();
        nanos += Duration.ofSeconds(59).toNanos();
        assertThat(look(5, 1).isBehind()).isFalse();
        nanos += Duration.ofSeconds(2).toNanos();
        Found found = look(5, 11);
        assertThat(found.isBehind()).isTrue();
        assertThat(found.newest()).isEqualTo(Txid.NONE);
    }
}
