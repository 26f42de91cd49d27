package org.litestream4j.spring;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.ReplicaLocation;
import org.springframework.boot.test.system.CapturedOutput;

/** What a user reads when the application does not start because of a folder that is none, or is not writable. */
class FolderFailureAnalyzerTest extends FailedStartFixture {

    @Test
    void databaseFolderThatIsAFile(CapturedOutput output) throws Exception {
        Path file = Files.writeString(folder.resolve("data"), "in the way");
        start("spring.datasource.url=jdbc:sqlite:" + file + "/app.db", replica());
        assertExplained(
                output,
                "The database " + file + "/app.db cannot be replicated: its folder cannot be created: " + file
                        + " is a file.",
                "remove that file, or put the database elsewhere");
    }

    @Test
    void databaseFolderThatCannotBeCreated(CapturedOutput output) {
        start(
                "spring.datasource.url=jdbc:sqlite:/proc/litestream/app.db",
                replica(),
                "litestream.meta-path=" + folder.resolve("state"));
        assertExplained(
                output,
                "The database /proc/litestream/app.db cannot be replicated: its folder cannot be created:",
                "make that folder writable for this process, or put the database elsewhere");
    }

    @Test
    void databaseFolderThatCannotBeCreated_andABackup(CapturedOutput output) throws Exception {
        backup();
        start(
                "spring.datasource.url=jdbc:sqlite:/proc/litestream/app.db",
                replica(),
                "litestream.meta-path=" + folder.resolve("state"));
        assertExplained(
                output,
                "The database /proc/litestream/app.db does not exist and cannot be restored:",
                "Make the database's folder writable for this process, with room for the database");
    }

    /** Of another database. */
    private void backup() throws Exception {
        try (Litestream litestream = Litestream.builder().build();
                Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("other.db"));
                Statement statement = connection.createStatement()) {
            statement.execute("create table t (x)");
            litestream
                    .register(DatabaseConfig.builder(
                                    folder.resolve("other.db"),
                                    ReplicaLocation.of("file://" + folder.resolve("replica")))
                            .build())
                    .sync(Duration.ofSeconds(20));
        }
    }

    @Test
    void databaseThatIsAFolder(CapturedOutput output) throws Exception {
        Path data = Files.createDirectory(folder.resolve("data"));
        start("spring.datasource.url=jdbc:sqlite:" + data, replica());
        assertExplained(
                output,
                "The database \"data\" (" + data + ") is a folder, not a file.",
                "Name a file in it, or for all databases of the folder set litestream.databases.<name>.pattern.");
    }

    @Test
    void folderOfDatabasesThatIsAFile(CapturedOutput output) throws Exception {
        Path file = Files.writeString(folder.resolve("tenants"), "in the way");
        start(
                database(),
                replica(),
                "litestream.databases.tenants.path=" + file,
                "litestream.databases.tenants.pattern=*.db",
                "litestream.databases.tenants.replica.url=file://" + folder.resolve("replicas"));
        assertExplained(
                output,
                "litestream.databases.tenants.path = " + file + " is a file, but .pattern wants a folder.",
                "Name the folder, or leave the pattern out.");
    }

    @Test
    void localStateThatIsAFile(CapturedOutput output) throws Exception {
        Path file = Files.writeString(folder.resolve("state"), "in the way");
        for (Path metaPath : List.of(file, file.resolve("below"))) {
            start(database(), replica(), "litestream.meta-path=" + metaPath);
            assertExplained(
                    output,
                    "The database " + folder.resolve("app.db") + " cannot be replicated: cannot use the folder"
                            + " of its local state, "
                            + metaPath + ": " + file + " is not a folder that this process may write to.",
                    "make it writable, or put the local state elsewhere with litestream.meta-path");
        }
    }
}
