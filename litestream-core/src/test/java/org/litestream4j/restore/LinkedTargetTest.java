package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.FaultyReplicaClient.Call;

/** A link as the target stands for what it points to. */
class LinkedTargetTest extends RestoreFixture {

    @Test
    void restore_symbolicLink_replacesWhatItPointsTo() throws IOException {
        model.commit(4, 0);
        Path real = Files.writeString(temp.resolve("real.db"), OLD);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, real);
        restore(force());
        assertThat(real).hasBinaryContent(model.latest());
        assertThat(target).isSymbolicLink();
    }

    @Test
    void restore_linkToAMissingFile_createsWhatItPointsTo() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, Path.of("next"));
        Files.createSymbolicLink(target.resolveSibling("next"), temp.resolve("elsewhere/real.db"));
        RestoreResult result = restore(RestoreOptions.defaults());
        assertThat(target).isSymbolicLink().hasBinaryContent(model.latest());
        assertThat(result.target()).isEqualTo(temp.resolve("elsewhere/real.db")).isRegularFile();
    }

    @Test
    void restore_targetBelowALinkedFolder_keepsItsName() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(temp.resolve("real"));
        Path linked = Files.createSymbolicLink(temp.resolve("linked"), temp.resolve("real"));
        for (RestoreOptions options : List.of(RestoreOptions.defaults(), force())) {
            assertThat(Restore.restore(client, linked.resolve("app.db"), options)
                            .target())
                    .isEqualTo(linked.resolve("app.db"))
                    .hasBinaryContent(model.latest());
        }
    }

    @Test
    void restore_linkToItself_isRefused() throws IOException {
        model.commit(5, 0);
        Files.createDirectories(target.getParent());
        Files.createSymbolicLink(target, target);
        assertThatThrownBy(() -> restore(force()))
                .isInstanceOf(FileSystemLoopException.class)
                .hasMessageContaining(target.toString());
        assertThat(client.calls(Call.LIST)).isZero();
    }
}
