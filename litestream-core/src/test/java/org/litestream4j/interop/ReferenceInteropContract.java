package org.litestream4j.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.IntegrityCheck;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * With a {@code litestream} program (0.5.16 or newer): each restores what the other replicated, and takes over from it. Run with
 * {@code -Dlitestream.reference=PATH}; skipped without it.
 */
public abstract class ReferenceInteropContract {

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    @TempDir
    protected Path folder;

    private Path program;
    private Path path;
    private ReplicaLocation replica;
    private DatabaseConfig config;

    /** Where nothing is. */
    protected abstract ReplicaLocation freshLocation();

    /** The same place as the program is told of it. */
    protected String programUrl(ReplicaLocation location) {
        return location.url();
    }

    /** What the program finds in its environment, beside what there is. */
    protected Map<String, String> programEnvironment() {
        return Map.of();
    }

    @BeforeEach
    public void findProgram() {
        String configured = System.getProperty("litestream.reference", "");
        assumeTrue(!configured.isEmpty(), "needs a litestream program: -Dlitestream.reference=PATH");
        program = Path.of(configured);
        path = folder.resolve("app.db");
        replica = freshLocation();
        config = DatabaseConfig.builder(path, replica).build();
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    public void reference_restoresWhatWeReplicated(int pageSize) throws Exception {
        replicateHere(pageSize, 300);
        replicateHere(pageSize, 200);
        assertBothRestore(500);
    }

    @Test
    public void weRestore_whatTheReferenceReplicated() throws Exception {
        replicateThere(4096, 300);
        assertBothRestore(300);
    }

    /** Level 0 alone is not enough then, nor is the first snapshot. */
    @Test
    public void reference_restoresFromLevelsAndSnapshots() throws Exception {
        replicateHere(4096, 100);
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = database.wrap(source(4096)).getConnection()) {
                for (int round = 0; round < 6; round++) {
                    insert(connection, 40);
                    database.sync(TIMEOUT);
                    insert(connection, 10);
                    database.compact(TIMEOUT);
                    if (round == 2) {
                        execute(connection, "delete from t where id % 3 = 0", "vacuum");
                        database.snapshot(TIMEOUT);
                    }
                }
                execute(connection, "delete from t where id > 200");
                database.compact(TIMEOUT);
            }
        }
        assertThat(files(1)).isNotEmpty();
        assertThat(files(2)).isNotEmpty();
        assertThat(files(3)).isNotEmpty();
        deleteLevel(0);
        assertBothRestore(restoredRows());
        deleteLevel(9);
        Process restore = start("restore", "-o", folder.resolve("never.db").toString(), programUrl(replica));
        assertThat(restore.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(restore.exitValue()).as("the test could not fail").isNotZero();
    }

    @Test
    public void handOver_inBothDirections() throws Exception {
        replicateHere(4096, 100);
        replicateThere(4096, 100);
        replicateHere(4096, 100);
        replicateThere(4096, 100);
        assertBothRestore(400);
    }

    private List<LtxFileName> files(int level) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        try (ReplicaClient client = Replicas.open(replica)) {
            client.list(level, Txid.NONE, file -> names.add(file.name()));
        }
        return names;
    }

    private void deleteLevel(int level) throws IOException {
        try (ReplicaClient client = Replicas.open(replica)) {
            client.delete(level, files(level));
        }
    }

    private void replicateHere(int pageSize, int rows) throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = database.wrap(source(pageSize)).getConnection()) {
                insert(connection, rows);
                database.sync(TIMEOUT);
            }
        }
    }

    private void replicateThere(int pageSize, int rows) throws Exception {
        try (Connection connection = source(pageSize).getConnection()) {
            execute(connection, "pragma journal_mode=wal");
            insert(connection, 0);
            Process process = start("replicate", path.toString(), programUrl(replica));
            try {
                insert(connection, rows);
                await().atMost(TIMEOUT).until(() -> restoredRows() >= query(connection, "select count(*) from t"));
            } finally {
                process.destroy();
                assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    private long restoredRows() throws Exception {
        Path probe = Files.createTempDirectory(folder, "probe").resolve("probe.db");
        try (ReplicaClient client = Replicas.open(replica)) {
            Restore.restore(client, probe, RestoreOptions.defaults());
        } catch (IOException e) {
            return -1; // nothing there yet
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + probe)) {
            return query(connection, "select count(*) from t");
        }
    }

    private static void insert(Connection connection, int rows) throws Exception {
        execute(connection, "create table if not exists t(id integer primary key, x)");
        for (int i = 0; i < rows; i++) {
            execute(connection, "insert into t(x) values (randomblob(" + (i * 31 % 2500) + "))");
        }
    }

    private void assertBothRestore(long rows) throws Exception {
        Path ours = folder.resolve("ours.db");
        Path theirs = folder.resolve("theirs.db");
        try (ReplicaClient client = Replicas.open(replica)) {
            Restore.restore(
                    client,
                    ours,
                    RestoreOptions.builder().integrityCheck(IntegrityCheck.FULL).build());
        }
        Process restore = start("restore", "-o", theirs.toString(), programUrl(replica));
        assertThat(restore.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(restore.exitValue()).isZero();
        assertThat(Files.mismatch(ours, theirs)).isEqualTo(-1);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + theirs)) {
            assertThat(query(connection, "select count(*) from t")).isEqualTo(rows);
        }
    }

    private Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder process = new ProcessBuilder(command).inheritIO();
        process.environment().remove("AWS_CA_BUNDLE"); // with it, the program sends nothing over plain HTTP
        process.environment().putAll(programEnvironment());
        return process.start();
    }

    private SQLiteDataSource source(int pageSize) {
        SQLiteConfig options = new SQLiteConfig();
        options.setPageSize(pageSize);
        options.setBusyTimeout(20_000);
        SQLiteDataSource source = new SQLiteDataSource(options);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }
}
