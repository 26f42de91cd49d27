package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.litestream4j.LitestreamEvent.Drilled;
import org.litestream4j.drill.DrillFinding;
import org.litestream4j.drill.DrillOptions;
import org.litestream4j.drill.DrillOutcome;
import org.litestream4j.drill.DrillReport;
import org.litestream4j.drill.RestoreDrillCheck;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.EngineFixture;

/** Drills of a database that is being replicated, with default settings. */
class EngineDrillTest extends EngineFixture {

    private final List<Drilled> events = new CopyOnWriteArrayList<>();

    private Litestream engine() {
        return Litestream.builder()
                .listener(event -> {
                    if (event instanceof Drilled drilled) {
                        events.add(drilled);
                    }
                })
                .build();
    }

    private DatabaseConfig defaults() {
        return DatabaseConfig.builder(path, ReplicaLocation.of(replica.toUri().toString()))
                .build();
    }

    private DrillOptions.Builder options() {
        return DrillOptions.builder(folder.resolve("drills")).load(100);
    }

    @Test
    void replicatedDatabase_passesAndIsReported() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = engine()) {
            ManagedDatabase database = litestream.register(defaults());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                DrillReport report = database.drill(options()
                        .check(RestoreDrillCheck.sql("SELECT count(*) FROM sqlite_schema"))
                        .build());
                assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.PASSED);
                assertThat(report.database()).isEqualTo("app.db");
                assertThat(report.replicated()).isEqualTo(database.status().replicated());
                assertThat(report.newest().txid()).isEqualTo(database.status().replicated());
                assertThat(events).containsExactly(new Drilled("app.db", report.replica(), report));
            }
        }
    }

    /** Without a commit, the engine has no reason to look at its replica. */
    @Test
    void replicaEmptiedUnderTheRunningProcess_isAFinding() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = engine()) {
            ManagedDatabase database = litestream.register(defaults());
            try (Connection connection = open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(TIMEOUT);
                try (Stream<Path> files = Files.walk(replica)) {
                    for (Path file : files.filter(Files::isRegularFile).toList()) {
                        Files.delete(file);
                    }
                }
                DrillReport report = database.drill(options().build());
                assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.FAILED);
                assertThat(report.findings())
                        .extracting(DrillFinding::kind)
                        .containsExactly(DrillFinding.Kind.NO_BACKUP);
                assertThat(database.status().lastError()).isNull();
            }
        }
    }

    @Test
    void drillsBesideAWriterWithMerges_alwaysPass() throws Exception {
        create("CREATE TABLE t(x)");
        try (Litestream litestream = engine()) {
            ManagedDatabase database = litestream.register(config().build());
            try (Connection connection = open(database)) {
                database.sync(TIMEOUT);
                for (int round = 0; round < 12; round++) {
                    for (int i = 0; i < 20; i++) {
                        execute(connection, "INSERT INTO t VALUES (randomblob(2000))");
                    }
                    Thread drill = new Thread(() -> database.drill(options().build()));
                    drill.start();
                    for (int i = 0; i < 20; i++) {
                        execute(connection, "INSERT INTO t VALUES (randomblob(2000))");
                    }
                    database.compact(TIMEOUT);
                    if (round % 3 == 0) {
                        database.snapshot(TIMEOUT);
                    }
                    drill.join();
                }
            }
        }
        assertThat(events).hasSize(12).allSatisfy(event -> assertThat(
                        event.report().outcome())
                .as(event.toString())
                .isEqualTo(DrillOutcome.PASSED));
    }

    @Test
    void closedDatabase_endsTheDrill() throws Exception {
        create("CREATE TABLE t(x)");
        ManagedDatabase database;
        try (Litestream litestream = engine()) {
            database = litestream.register(defaults());
            database.sync(TIMEOUT);
        }
        assertThat(database.drill(options().build()).outcome()).isEqualTo(DrillOutcome.INCONCLUSIVE);
    }
}
