package org.litestream4j.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.EngineFixture;

/** A sound replica of a real database, which each test gets a copy of and spoils. */
abstract class DrillFixture {

    @TempDir
    static Path template;

    /** What the engine said is replicated. */
    static Txid replicated = Txid.NONE;

    /** The same of another database. */
    static Txid otherReplicated = Txid.NONE;

    @TempDir
    Path temp;

    Path replica;
    Path directory;

    @BeforeAll
    static void replicate() throws Exception {
        replicated = replicate(template.resolve("app.db"), template.resolve("replica"), 0);
        otherReplicated = replicate(template.resolve("other.db"), template.resolve("other"), 5);
    }

    /** Two snapshots, and level-0 files before and after the second. */
    private static Txid replicate(Path database, Path replica, int offset) throws Exception {
        create(database, "CREATE TABLE orders(id INTEGER PRIMARY KEY, item)", "CREATE INDEX items ON orders(item)");
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase managed =
                    litestream.register(EngineFixture.config(database, replica).build());
            try (Connection connection = EngineFixture.open(managed)) {
                for (int i = 1; i <= 6; i++) {
                    execute(
                            connection,
                            "INSERT INTO orders(item) VALUES ('item " + (i + offset) + "' || hex(randomblob(300)))");
                    managed.sync(EngineFixture.TIMEOUT);
                    if (i == 2) {
                        managed.snapshot(EngineFixture.TIMEOUT);
                    }
                }
            }
            return managed.status().replicated();
        }
    }

    static void create(Path database, String... statements) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, "PRAGMA journal_mode=WAL");
            execute(connection, statements);
        }
    }

    /** A replica of a database with one state; created by a real engine. */
    Path replicaOf(String... statements) throws Exception {
        Path database = temp.resolve("special.db");
        create(database, statements);
        Path folder = temp.resolve("special");
        try (Litestream litestream = EngineFixture.litestream()) {
            litestream.register(EngineFixture.config(database, folder).build()).sync(EngineFixture.TIMEOUT);
        }
        return folder;
    }

    @BeforeEach
    void copy() throws IOException {
        replica = temp.resolve("replica");
        directory = temp.resolve("drills");
        copy(template.resolve("replica"), replica);
    }

    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> paths = Files.walk(from)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                Files.copy(
                        path,
                        to.resolve(from.relativize(path).toString()),
                        StandardCopyOption.COPY_ATTRIBUTES,
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    @AfterEach
    void leavesNothing() throws IOException {
        if (Files.isDirectory(directory)) {
            try (Stream<Path> files = Files.list(directory)) {
                assertThat(files).isEmpty();
            }
        }
    }

    /** All files of the replica, in order. */
    static List<Path> files(Path replica) throws IOException {
        try (Stream<Path> paths = Files.walk(replica)) {
            return new ArrayList<>(paths.filter(Files::isRegularFile).sorted().toList());
        }
    }

    Path level0(long txid) {
        String name = new Txid(txid).toString();
        return replica.resolve("ltx/0/" + name + "-" + name + ".ltx");
    }

    DrillOptions.Builder options() {
        return DrillOptions.builder(directory).load(100).minFree(0);
    }

    static ReplicaLocation location(Path replica) {
        return ReplicaLocation.of(replica.toUri().toString());
    }

    DrillReport drill() {
        return drill(options().build());
    }

    DrillReport drill(DrillOptions options) {
        return RestoreDrill.run(location(replica), options);
    }

    static void assertFailed(DrillReport report, DrillFinding.Kind kind, String... parts) {
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.FAILED);
        assertThat(report.findings()).as(report.toString()).anySatisfy(finding -> {
            assertThat(finding.kind()).isEqualTo(kind);
            assertThat(finding.text()).contains(parts);
        });
    }

    static void assertInconclusive(DrillReport report, String... parts) {
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.INCONCLUSIVE);
        assertThat(report.findings()).isEmpty();
        assertThat(report.problem()).contains(parts);
    }
}
