package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.system.CapturedOutput;

/** What a user reads when the application does not start because of a setting. */
class SettingFailureAnalyzerTest extends FailedStartFixture {

    @Test
    void optionOutOfRange(CapturedOutput output) {
        start(database(), replica(), "litestream.sync-interval=0s");
        assertExplained(
                output,
                "A setting of the database \"app.db\" (" + folder.resolve("app.db")
                        + ") is out of range: sync-interval = PT0S: must be at least 1 ms.",
                "Correct litestream.*.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            max-sync-wal-size=1KB  | max-sync-wal-size = 1024: must be at least 1 MiB
            snapshot.interval=0s   | snapshot.interval = PT0S: must be at least 1 s
            wal-limit-pages=5      | wal-limit-pages = 5: must be at least 1000, the pages from which a checkpoint is worth its cost
            level0-retention=-1s   | level0-retention = PT-1S: must be not negative
            levels=5m,30s          | levels = [PT5M, PT30S]: must be 1 to 8 intervals of at least 1 s, each longer than the one before
            """)
    void optionOutOfRange_isNamedAsItIsSet(String setting, String problem, CapturedOutput output) {
        start(database(), replica(), "litestream." + setting);
        assertThat(output.getAll()).contains("is out of range: " + problem + ".");
    }

    /** The entry is named as it must be written: brackets keep the dot in the key. */
    @Test
    void optionOfAnEntryOutOfRange(CapturedOutput output) {
        start(database(), replica(), "litestream.databases[app.db].sync-interval=0s");
        assertExplained(
                output,
                "A setting of the database \"app.db\" (" + folder.resolve("app.db")
                        + ") is out of range: sync-interval = PT0S: must be at least 1 ms.",
                "Correct litestream.* or litestream.databases[app.db].*");
    }

    @Test
    void optionOfAnEmptyFolderOutOfRange(CapturedOutput output) {
        Path tenants = folder.resolve("tenants");
        start(
                database(),
                replica(),
                "litestream.databases.tenants.path=" + tenants,
                "litestream.databases.tenants.pattern=*.db",
                "litestream.databases.tenants.sync-interval=0s",
                "litestream.databases.tenants.replica.url=file://" + folder.resolve("replicas"));
        assertExplained(
                output,
                "A setting of the database \"tenants\" (" + tenants
                        + ") is out of range: sync-interval = PT0S: must be at least 1 ms.",
                "Correct litestream.* or litestream.databases.tenants.*");
    }

    @Test
    void optionOfAnotherType(CapturedOutput output) {
        start(database(), replica(), "litestream.sync-interval=often");
        assertExplained(
                output,
                "Failed to bind properties under 'litestream.sync-interval' to java.time.Duration:",
                "Update your application's configuration");
    }

    @Test
    void thresholdsTheWrongWayRound(CapturedOutput output) {
        start(database(), replica(), "litestream.health.lag-warning=20m");
        assertExplained(
                output,
                "litestream.health.lag-warning = PT20M and litestream.health.lag-down = PT10M contradict each other.",
                "Write 0 <= lag-warning <= lag-down.");
    }

    @Test
    void restoreWithTooManyConnections(CapturedOutput output) {
        start(database(), replica(), "litestream.restore.parallelism=65");
        assertExplained(output, "litestream.restore.parallelism = 65 is out of range.", "Write a number from 1 to 64.");
    }

    @Test
    void restoreFolderThatIsAFile(CapturedOutput output) throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "in the way");
        start(database(), replica(), "litestream.restore.directory=" + file);
        assertExplained(
                output,
                "litestream.restore.directory = \"" + file + "\" is not a folder.",
                "Name a folder (it is created when it is needed), or leave it out.");
    }

    @Test
    void valueThatIsNoneOfTheKnown(CapturedOutput output) {
        start(database(), replica(), "litestream.durability=certainly");
        assertExplained(
                output,
                "Failed to bind properties under 'litestream.durability' to org.litestream4j.Durability:",
                "Update your application's configuration. The following values are valid:\n\n    ASYNC\n    REPLICATED");
    }

    @Test
    void enabledThatIsNeitherTrueNorFalse(CapturedOutput output) {
        start(database(), replica(), "litestream.enabled=perhaps");
        assertExplained(
                output,
                "Failed to bind properties under 'litestream.enabled' to boolean:",
                "Update your application's configuration");
    }

    @Test
    void unknownSettings_inAFile(CapturedOutput output) throws Exception {
        Path file = Files.writeString(
                folder.resolve("application.yaml"),
                """
                litestream:
                  replica.url: file:./replica
                  sink-interval: 2s
                  replica.s3.secret-acces-key: verysecret
                """);
        start(database(), "spring.config.additional-location=file:" + folder + "/");
        assertExplained(
                output,
                "There is no setting litestream.replica.s3.secret-acces-key, which is set in URL [file:" + file
                        + "] - 4:32.\nThere is no setting litestream.sink-interval, which is set in URL [file:" + file
                        + "] - 3:18.",
                "Write litestream.replica.s3.secret-access-key instead of litestream.replica.s3.secret-acces-key.\n"
                        + "Write litestream.sync-interval instead of litestream.sink-interval.");
        assertThat(output).doesNotContain("verysecret");
        assertThat(folder.resolve("app.db")).doesNotExist();
    }
}
