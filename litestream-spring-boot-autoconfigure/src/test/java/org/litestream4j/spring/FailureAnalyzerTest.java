package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.ReplicaLocation;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

/** What a user reads when the application does not start. */
@ExtendWith(OutputCaptureExtension.class)
class FailureAnalyzerTest {

    @TempDir
    Path folder;

    @Test
    void noReplicaUrl(CapturedOutput output) {
        start(database());
        assertExplained(
                output,
                "The database " + folder.resolve("app.db") + " has no replica: litestream.replica.url is not set.",
                "Set litestream.replica.url, for example to file:///var/backups/app, or set litestream.enabled=false where"
                        + " nothing is to be replicated.");
    }

    @Test
    void replicaUrlWithoutAScheme(CapturedOutput output) {
        start(database(), "litestream.replica.url=/var/backups/app");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: replica URL without a scheme: \"/var/backups/app\"; write for example"
                        + " file:///var/backups/app.",
                "Correct the replica's URL.");
    }

    @Test
    void unknownScheme(CapturedOutput output) {
        start(database(), "litestream.replica.url=ftp://backups/app");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: no replica backend for URLs that start with \"ftp:\"; known are [",
                "Correct the replica's URL or its settings under litestream.replica.*");
    }

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
                "restore it, or give a new database another replica URL, or allow it in the application with"
                        + " litestream.replace-with-empty=true (in plain Java replaceWithEmpty)");
    }

    @Test
    void replicaInsideTheLocalState(CapturedOutput output) {
        String state = folder.resolve(".app.db-litestream").toString();
        for (String inside : List.of(state, state + "/replica")) {
            start(database(), "litestream.replica.url=file://" + inside);
            assertExplained(
                    output,
                    "The database " + folder.resolve("app.db") + " cannot be replicated: its replica file://" + inside
                            + " lies inside its local state " + state + ".",
                    "give the replica a folder elsewhere, best on another disk");
        }
    }

    @Test
    void replicaWithoutADatabase(CapturedOutput output) {
        start(
                replica(),
                "spring.autoconfigure.exclude="
                        + "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration");
        assertExplained(
                output,
                "A replica is configured, but no database: spring.datasource.url is not set.",
                "Set spring.datasource.url, or litestream.databases.<name>.path if the DataSource is configured in another"
                        + " way.");
    }

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
    void twoDatabasesWithOneReplica(CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.other.path=" + folder.resolve("other.db"),
                "litestream.databases.other.replica.url=file://" + folder.resolve("replica"));
        assertExplained(
                output,
                "The databases \"app.db\" and \"other\" have the replica in common.",
                "Give each database a file and a replica of its own; see litestream.databases.*");
    }

    @Test
    void twoDatabasesWithoutAPath(CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.one.sync-interval=2s",
                "litestream.databases.two.sync-interval=2s");
        assertExplained(
                output,
                "litestream.databases.one and litestream.databases.two have no path: only one can be the application's"
                        + " database (spring.datasource.url).",
                "Set litestream.databases.<name>.path for the others.");
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
    void libraryOfTheReplicaMissing(CapturedOutput output) {
        start(database(), "litestream.replica.url=nats://localhost/backups");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: nats://localhost:4222/backups: the NATS library is missing; add the dependency"
                        + " io.nats:jnats.",
                "Add the library to the application's dependencies.");
    }

    @Test
    void settingOfTheReplica_outOfRange(CapturedOutput output) {
        start(
                database(),
                "litestream.replica.url=s3://backups/app",
                "litestream.replica.s3.region=us-east-1",
                "litestream.replica.s3.part-size=1MB");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: S3: bad part-size: 1048576; allowed: 5MiB to 1GiB.",
                "Correct the replica's URL or its settings under litestream.replica.*");
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

    @Test
    void databaseThatIsAFolder(CapturedOutput output) throws Exception {
        Path data = Files.createDirectory(folder.resolve("data"));
        start("spring.datasource.url=jdbc:sqlite:" + data, replica());
        assertExplained(
                output,
                "The database \"data\" (" + data + ") is a folder, not a file.",
                "Name a file in it, or for all databases of the folder set litestream.databases.<name>.pattern.");
    }

    /** As in shells and in Litestream: it would match nothing, or everything with a dot, without a word. */
    @ParameterizedTest
    @ValueSource(strings = {"[ab].db", "*.{db,sqlite}", "["})
    void patternWithBrackets(String pattern, CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.tenants.path=" + folder.resolve("tenants"),
                "litestream.databases.tenants.pattern=" + pattern,
                "litestream.databases.tenants.replica.url=file://" + folder.resolve("replicas"));
        assertExplained(
                output,
                "litestream.databases.tenants.pattern = \"" + pattern + "\" is no pattern.",
                "Write * for any characters, ? for one, **/ for all folders below, as in **/*.db; there are no others.");
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
    void temporaryDatabaseWithAReplica(CapturedOutput output) {
        for (String url : List.of("jdbc:sqlite:", "jdbc:sqlite:?journal_mode=wal", "jdbc:sqlite:file:")) {
            start("spring.datasource.url=" + url, replica());
            assertExplained(
                    output,
                    "A replica is configured, but the database URL \"" + url.replaceFirst("\\?.*", "?…")
                            + "\" names no file: SQLite makes a temporary database of it, which is lost at the end.",
                    "Use a file, for example jdbc:sqlite:./data/app.db, or set litestream.enabled=false where nothing is to"
                            + " be replicated.");
        }
    }

    @Test
    void unknownUrlParameter(CapturedOutput output) {
        String url = "jdbc:sqlite:" + folder.resolve("app.db") + "?jurnal_mode=wal";
        start("spring.datasource.url=" + url, replica());
        assertExplained(
                output,
                "The database URL \"" + url.replace("jurnal_mode=wal", "…")
                        + "\" has the parameter \"jurnal_mode\", which SQLite JDBC does not know: it would"
                        + " become part of the file name.",
                "Correct or remove the parameter.");
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

    private String database() {
        return "spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db");
    }

    private String replica() {
        return "litestream.replica.url=file://" + folder.resolve("replica");
    }

    private void start(String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.banner-mode=off",
                "--spring.flyway.enabled=false",
                "--spring.liquibase.enabled=false",
                "--spring.data.jdbc.repositories.enabled=false",
                "--spring.main.log-startup-info=false"));
        for (String setting : settings) {
            arguments.add("--" + setting);
        }
        Throwable failure = catchThrowable(() -> new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .run(arguments.toArray(String[]::new))
                .close());
        assertThat(failure).as("start-up failure").isNotNull();
    }

    private static void assertExplained(CapturedOutput output, String description, String action) {
        String explanation = output.getOut().substring(output.getOut().lastIndexOf("APPLICATION FAILED TO START"));
        assertThat(explanation).contains("Description:\n\n" + description).containsPattern("Action:\n\n");
        assertThat(explanation.substring(explanation.indexOf("Action:\n\n") + 9))
                .startsWith(action);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
