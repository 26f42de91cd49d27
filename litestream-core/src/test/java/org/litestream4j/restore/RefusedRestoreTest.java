package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.restore.RestoreException.Reason;

/** Replicas that hold no backup, and backups that do not fit or are no database. */
class RefusedRestoreTest extends RestoreFixture {

    @Test
    void restore_nothingThere_isNoBackup() {
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.NO_BACKUP, files.url());
    }

    @Test
    void restore_onlyABackupOfOldLitestream_isNotTakenForNone() throws IOException {
        Files.createDirectories(temp.resolve("replica/generations/f67f47c47bf2f585/snapshots"));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.OTHER_FORMAT, "Litestream 0.3");
        model.commit(6, 0);
        restore(RestoreOptions.defaults());
    }

    @Test
    void restore_moreThanTheDiskHolds_isRefusedBeforeTheDownload() throws IOException {
        model.commit(4, 0);
        SortedMap<Long, byte[]> pages = new TreeMap<>();
        pages.put(1L, new byte[65536]);
        ModelReplica huge = new ModelReplica(files, 65536, 1);
        model.put(0, 2, 2, ModelReplica.encode(huge.header(2, 2, 2_000_000_000L), pages));
        assertFails(() -> restore(RestoreOptions.defaults()), Reason.NO_SPACE, "131072000000000 bytes");
        assertThat(client.calls(Call.OPEN)).isEqualTo(1);
    }

    @Test
    void restore_integrityCheckFindsGarbage_failsOnlyIfWanted() throws IOException {
        model.commit(4, 0); // random bytes, no database
        for (IntegrityCheck check : List.of(IntegrityCheck.QUICK, IntegrityCheck.FULL)) {
            assertFails(
                    () -> restore(RestoreOptions.builder().integrityCheck(check).build()), Reason.INTEGRITY);
        }
        restore(RestoreOptions.defaults());
        assertThat(target).exists();
    }
}
