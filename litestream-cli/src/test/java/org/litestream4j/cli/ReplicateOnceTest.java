package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;

/** The end of {@code replicate --once}, while the application goes on committing. */
class ReplicateOnceTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path temp;

    private interface Step {
        void run(Litestream litestream, ManagedDatabase database, Txid asked) throws Exception;
    }

    /** @param step runs after a later commit was uploaded, too */
    private void run(Step step) throws Exception {
        Path path = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + path);
                Statement statement = connection.createStatement();
                Litestream litestream = Litestream.builder().build()) {
            statement.execute("create table t(x)");
            ManagedDatabase database = litestream.register(
                    DatabaseConfig.builder(path, ReplicaLocation.of("file://" + temp.resolve("replica")))
                            .build());
            database.sync(TIMEOUT);
            Txid asked = database.status().replicated();
            statement.execute("insert into t values (1)");
            database.sync(TIMEOUT);
            assertThat(database.status().replicated()).isGreaterThan(asked);
            step.run(litestream, database, asked);
        }
    }

    @Test
    void laterCommits_areNoError() throws Exception {
        run(ReplicateCommand::end);
    }

    @Test
    void newestFileThatAnotherProgramOverwrote_isAnError_evenIfItIsALaterOne() throws Exception {
        run((litestream, database, asked) -> {
            Path newest = temp.resolve("replica/ltx/0")
                    .resolve(LtxFileName.of(database.status().replicated()).toString());
            byte[] content = Files.readAllBytes(newest);
            content[content.length - 1]++;
            Files.write(newest, content);
            assertThatThrownBy(() -> ReplicateCommand.end(litestream, database, asked))
                    .isInstanceOf(LitestreamException.class)
                    .hasMessageContaining("overwritten");
        });
    }
}
