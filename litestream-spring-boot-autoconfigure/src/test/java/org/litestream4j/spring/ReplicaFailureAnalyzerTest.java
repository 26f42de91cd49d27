package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.system.CapturedOutput;

/** What a user reads when the application does not start because the replica cannot be used, or holds something else. */
class ReplicaFailureAnalyzerTest extends FailedStartFixture {

    @Test
    void replicaFolderThatIsAFile(CapturedOutput output) throws Exception {
        Files.writeString(folder.resolve("replica"), "in the way");
        start(database(), replica());
        assertExplained(
                output,
                "The database " + folder.resolve("app.db") + " does not exist and cannot be restored: file://"
                        + folder.resolve("replica") + ": not a folder:",
                "remove that file or change the URL. The application does not start with an empty database,"
                        + " because that could hide a backup.");
    }

    @Test
    void replicaFolderNotWritable(CapturedOutput output) {
        start(database(), "litestream.replica.url=file:///proc/litestream");
        assertExplained(output, "The replica cannot be used: file:///proc/litestream: cannot write to the folder", "");
    }

    @Test
    void replicaUnreachableAndDatabaseMissing(CapturedOutput output) {
        start(database(), "litestream.replica.url=unreachable:anything");
        assertExplained(
                output,
                "The database " + folder.resolve("app.db")
                        + " does not exist and cannot be restored: Connection refused.",
                "Make the replica reachable and start again. The application does not start with an empty"
                        + " database, because that could hide a backup.");
    }

    @Test
    void replicaUnreachableAndDatabaseNew(CapturedOutput output) {
        start(database(), "litestream.replica.url=unreachable:anything", "litestream.restore.on-startup=never");
        assertExplained(
                output,
                "The database " + folder.resolve("app.db") + " cannot be replicated: it does not exist, and its"
                        + " replica cannot be checked for a backup: Connection refused.",
                "make the replica reachable and start again");
    }

    @Test
    void bucketMissing_andWrongKeys(CapturedOutput output) throws Exception {
        S3Proxy store = S3Proxy.builder()
                .blobStore(BlobStores.create("transient-nio2", new Properties()))
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, "theKey", "theSecret")
                .build();
        store.start();
        try {
            for (String secret : List.of("theSecret", "anotherSecret")) {
                start(
                        database(),
                        "litestream.replica.url=s3://backups/app",
                        "litestream.replica.s3.endpoint=http://127.0.0.1:" + store.getPort(),
                        "litestream.replica.s3.access-key-id=theKey",
                        "litestream.replica.s3.secret-access-key=" + secret);
                assertExplained(
                        output,
                        "The database " + folder.resolve("app.db")
                                + " does not exist and cannot be restored: s3://backups/app",
                        secret.equals("theSecret")
                                ? "create bucket backups, or correct the bucket's name, region or endpoint."
                                : "");
                assertThat(output).doesNotContain(secret);
            }
        } finally {
            store.stop();
        }
    }

    @Test
    void migrationThatDoesNotGetToTheReplica(CapturedOutput output) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("app.db"));
                Statement statement = connection.createStatement()) {
            statement.execute("create table t (x)"); // a database that is there needs no replica to start
        }
        start(
                database(),
                "litestream.replica.url=unreachable:anything",
                "litestream.durability=replicated",
                "litestream.durability-timeout=200ms",
                "litestream.shutdown-sync-timeout=100ms",
                "spring.sql.init.mode=always",
                "spring.sql.init.schema-locations=classpath:db/notes/V1__note.sql");
        assertExplained(
                output,
                "With litestream.durability=replicated, a commit during startup was not replicated: ",
                "Make the replica reachable, or raise litestream.durability-timeout. To start without it, set"
                        + " litestream.durability=async.");
    }

    @Test
    void damagedBackup(CapturedOutput output) throws Exception {
        Path file = folder.resolve("replica/ltx/0/0000000000000001-0000000000000001.ltx");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "no LTX file");
        start(database(), replica());
        assertExplained(
                output,
                "The database " + folder.resolve("app.db") + " does not exist and cannot be restored: file://"
                        + folder.resolve("replica"),
                "");
        assertThat(folder.resolve("app.db")).doesNotExist();
    }

    @Test
    void newDatabaseInPlaceOfABackup(CapturedOutput output) throws Exception {
        Path file = folder.resolve("replica/ltx/0/0000000000000001-0000000000000001.ltx");
        Files.createDirectories(file.getParent());
        Files.writeString(file, "some backup");
        start(database(), replica(), "litestream.restore.on-startup=never");
        assertExplained(
                output,
                "The database " + folder.resolve("app.db")
                        + " cannot be replicated: the database does not exist, but its replica file://"
                        + folder.resolve("replica") + " holds a backup.",
                "restore it, or give a new database another replica URL, or allow it with"
                        + " litestream.replace-with-empty=true");
    }
}
