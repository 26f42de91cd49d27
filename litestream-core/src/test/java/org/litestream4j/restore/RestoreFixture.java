package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreException.Reason;

/** A replica of a model, a client of it whose calls can fail, and a target for the restore. */
abstract class RestoreFixture {

    static final int PAGE = 512;

    static final String OLD = "SQLite format 3\0" + "old".repeat(40);

    @TempDir
    Path temp;

    ReplicaClient files;
    FaultyReplicaClient client;
    ModelReplica model;
    Path target;

    @BeforeEach
    void openReplica() {
        files = FileReplicaProvider.at(temp.resolve("replica"));
        client = new FaultyReplicaClient(files);
        model = new ModelReplica(files, PAGE, 7);
        target = temp.resolve("data/app.db");
    }

    @AfterEach
    void leavesNoTemporaries() throws IOException {
        files.close();
        if (Files.isDirectory(target.getParent())) {
            try (Stream<Path> children = Files.list(target.getParent())) {
                assertThat(children.map(child -> child.getFileName().toString()))
                        .noneMatch(name -> name.endsWith(".tmp"));
            }
        }
    }

    RestoreResult restore(RestoreOptions options) throws IOException {
        return Restore.restore(client, target, options);
    }

    /** In parts of so few bytes that also the small files of tests are large ones. */
    RestoreResult restoreInParts(RestoreOptions options) throws IOException {
        return new RestoreJob(client, target, options, 1500).run();
    }

    static RestoreOptions force() {
        return RestoreOptions.builder().force(true).build();
    }

    void assertFails(ThrowingCallable call, Reason reason, String... parts) {
        assertThatThrownBy(call).isInstanceOfSatisfying(RestoreException.class, e -> {
            assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason);
            for (String part : parts) {
                assertThat(e).hasMessageContaining(part);
            }
        });
        assertThat(target).doesNotExist();
    }

    long size(int level, long txid) throws IOException {
        return Files.size(temp.resolve("replica/ltx/" + level)
                .resolve(ModelReplica.name(txid, txid).toString()));
    }
}
