package org.litestream4j.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.FaultyReplicaClient;
import org.litestream4j.replica.FaultyReplicaClient.Call;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.ChildProcess;

/** What a drill reports of a sound replica, its checks, its limits, and what it leaves behind. */
class RestoreDrillTest extends DrillFixture {

    @Test
    void soundReplica_passesWithItsMeasurements() throws IOException {
        Instant before = Instant.now();
        DrillReport report = RestoreDrill.run(
                listener -> Replicas.open(location(replica), listener),
                options().database("app").build(),
                replicated);
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.PASSED);
        assertThat(report.database()).isEqualTo("app");
        assertThat(report.replica()).isEqualTo("file://" + replica);
        assertThat(report.startedAt()).isBetween(before.minusMillis(1), Instant.now());
        assertThat(report.newest().txid()).isEqualTo(replicated);
        assertThat(report.newest().bytes()).isEqualTo(Files.size(template.resolve("app.db")));
        assertThat(report.newest().files()).isPositive();
        assertThat(report.past().txid()).isLessThan(replicated);
        assertThat(report.past().timestamp()).isBefore(report.newest().timestamp());
        assertThat(report.recoveryTime()).isPositive().isLessThan(report.elapsed());
        assertThat(report.newestAge())
                .isEqualTo(Duration.between(report.newest().timestamp(), report.startedAt()));
        assertThat(report.bytesReceived())
                .isGreaterThanOrEqualTo(
                        report.newest().bytesRead() + report.past().bytesRead());
        assertThat(report.requests()).isEmpty(); // a folder bills none
        assertThat(report.costMicros()).isZero();
        assertThat(report.describe())
                .containsEntry("outcome", "PASSED")
                .containsEntry("replicatedTxid", replicated.toString());
    }

    @Test
    void pastState_isTheOneAskedFor() {
        RestoreTarget wanted = RestoreTarget.txid(new Txid(4));
        assertThat(drill(options().past(wanted).build()).past().txid()).isEqualTo(new Txid(4));
        assertFailed(
                drill(options().past(RestoreTarget.txid(new Txid(99))).build()),
                DrillFinding.Kind.NOT_RETAINED,
                "0000000000000063");
        assertThatThrownBy(() -> options()
                        .past(RestoreTarget.timestamp(Instant.now().plusSeconds(60)))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is in the future");
    }

    @Test
    void randomMoment_isNotAlwaysTheSame() {
        assertThat(java.util.stream.Stream.generate(() -> drill().past().target())
                        .limit(8)
                        .distinct()
                        .count())
                .isGreaterThan(1);
    }

    @Test
    void replicaWithOneState_passesWithoutAPast() throws Exception {
        replica = replicaOf("CREATE TABLE t(x)");
        List<Path> files = files(replica);
        for (Path file : files.subList(0, files.size() - 1)) { // a start writes a second state
            Files.delete(file);
        }
        DrillReport report = drill();
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.PASSED);
        assertThat(report.past()).as(files.toString()).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select count(*) > 100 from orders  | the query returns 0",
                "select item from orders where id=0 | the query returns no row",
                "select null                        | the query returns null",
                "select * from invoices             | no such table: invoices",
                "delete from orders                 | attempt to write a readonly database",
            })
    void checkThatFails_isAFinding(String sql, String text) {
        DrillReport report = drill(options().check(RestoreDrillCheck.sql(sql)).build());
        assertFailed(report, DrillFinding.Kind.CHECK, "newest state: check \"" + sql + "\"", text);
        boolean otherSchema = text.contains("no such table"); // which a past state may have
        assertThat(report.findings()).hasSize(otherSchema ? 1 : 2);
    }

    @Test
    void checks_seeBothStates() {
        List<String> seen = new ArrayList<>();
        RestoreDrillCheck check = (connection, txid, timestamp) -> {
            try (Statement statement = connection.createStatement()) {
                seen.add(txid + " "
                        + statement.executeQuery("select count(*) from orders").getLong(1));
            }
            assertThat(connection.isReadOnly()).isTrue();
            assertThat(timestamp).isBefore(Instant.now());
        };
        DrillReport report = drill(options()
                .past(RestoreTarget.txid(replicated.previous()))
                .check(check)
                .check(RestoreDrillCheck.sql("select count(*) > 2 from orders"))
                .build());
        assertThat(report.outcome()).as(report.toString()).isEqualTo(DrillOutcome.PASSED);
        assertThat(seen).containsExactly(replicated + " 6", replicated.previous() + " 5");
    }

    @Test
    void checkThatThrows_isAFindingWithItsMessageInOneLine() {
        RestoreDrillCheck check = new RestoreDrillCheck() {
            @Override
            public void check(Connection connection, Txid txid, Instant timestamp) {
                throw new IllegalStateException("no orders\nof today");
            }

            @Override
            public String name() {
                return "orders of today";
            }
        };
        assertFailed(
                drill(options().check(check).build()),
                DrillFinding.Kind.CHECK,
                "check \"orders of today\" failed: no orders?of today");
    }

    @Test
    void violatedForeignKeys_areAFindingUnlessTurnedOff() throws Exception {
        replica = replicaOf(
                "CREATE TABLE customer(id INTEGER PRIMARY KEY)",
                "CREATE TABLE orders(customer REFERENCES customer)",
                "INSERT INTO orders VALUES (7)");
        assertFailed(drill(), DrillFinding.Kind.FOREIGN_KEYS, "1 rows violate foreign keys, in orders");
        assertThat(drill(options().foreignKeys(false).build()).outcome()).isEqualTo(DrillOutcome.PASSED);
    }

    /** Each call in turn, until a drill needs no more of them. Denied access is not tried again. */
    @ParameterizedTest
    @CsvSource({"LIST, 20", "OPEN, 5"})
    void storeThatFailsAtAnyCall_isInconclusive(Call call, int least) {
        int nth = 0;
        boolean reached = true;
        while (reached) {
            nth++;
            int failing = nth;
            DrillReport report = drill(client -> client.before(call, failing, () -> {
                throw new ReplicaAccessException("s3://b/app", "access denied (403)", "", null);
            }));
            assertThat(report.outcome()).as(call + " " + nth + ": " + report).isNotEqualTo(DrillOutcome.FAILED);
            reached = report.outcome() == DrillOutcome.INCONCLUSIVE;
        }
        assertThat(nth).isGreaterThan(least);
    }

    @Test
    @Tag("slow") // reads are tried again for seconds
    void storeThatBreaksDuringReads_isInconclusive() {
        assertInconclusive(
                drill(client -> {
                    for (int i = 1; i < 10; i++) {
                        client.failBefore(Call.OPEN, i);
                    }
                }),
                "fault before OPEN");
    }

    @Test
    void storeThatDeniesAccess_isInconclusive() {
        assertInconclusive(
                drill(client -> client.before(Call.LIST, 1, () -> {
                    throw new ReplicaAccessException("s3://b/app", "access denied (403)", "grant s3:ListBucket", null);
                })),
                "access denied (403)");
    }

    private DrillReport drill(Consumer<FaultyReplicaClient> faults) {
        return RestoreDrill.run(
                listener -> {
                    FaultyReplicaClient client = new FaultyReplicaClient(Replicas.open(location(replica), listener));
                    faults.accept(client);
                    return client;
                },
                options().build(),
                replicated);
    }

    @Test
    void timeout_isInconclusive() {
        RestoreDrillCheck endless = RestoreDrillCheck.sql(
                "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n");
        assertInconclusive(
                drill(options().timeout(Duration.ofMillis(700)).check(endless).build()), "longer than its timeout");
    }

    @Test
    void diskWithoutSpace_isInconclusive() {
        assertInconclusive(drill(options().minFree(Long.MAX_VALUE).build()), "free some space");
    }

    @Test
    void directoryThatCannotBeCreated_isInconclusive() throws IOException {
        Path file = Files.createFile(temp.resolve("file"));
        DrillOptions options = DrillOptions.builder(file.resolve("drills")).build();
        assertInconclusive(RestoreDrill.run(location(replica), options), file.toString());
    }

    @Test
    void cancelledDrill_isInconclusive() {
        AtomicInteger polls = new AtomicInteger();
        assertInconclusive(
                drill(options().cancelled(() -> polls.incrementAndGet() > 4).build()), "cancelled");
        assertThat(polls).hasPositiveValue();
    }

    @Test
    void interruptedDrill_isInconclusiveAndLeavesTheStatus() {
        Thread.currentThread().interrupt();
        DrillReport report = drill();
        assertThat(Thread.interrupted()).isTrue();
        assertInconclusive(report, "interrupted");
    }

    @Test
    void load_isKeptByPausesThatAreNoPartOfTheRecoveryTime() {
        DrillReport full = drill();
        DrillReport gentle = drill(options().load(2).build());
        assertThat(gentle.outcome()).isEqualTo(DrillOutcome.PASSED);
        assertThat(gentle.elapsed()).isGreaterThan(full.recoveryTime().multipliedBy(2));
        assertThat(gentle.recoveryTime()).isLessThan(gentle.elapsed().dividedBy(3));
    }

    /** A process that is killed in the middle of a drill; another that is still in one. */
    @Test
    void killedDrill_isCleanedUpByTheNextOne() throws Exception {
        Path running = temp.resolve("running.txt");
        Path killed = temp.resolve("killed.txt");
        try (ChildProcess one = ChildProcess.start(
                        running, DrillChild.class, directory, location(replica).url());
                ChildProcess two = ChildProcess.start(
                        killed, DrillChild.class, directory, location(replica).url())) {
            one.awaitOutput("restored");
            two.awaitOutput("restored");
            assertThat(files(directory)).hasSize(4);
            two.kill();
            assertThat(drill().outcome()).isEqualTo(DrillOutcome.PASSED);
            assertThat(files(directory)).hasSize(2); // of the one that runs
            one.kill();
        }
        assertThat(drill().outcome()).isEqualTo(DrillOutcome.PASSED);
    }

    /** A folder of the name of a drill's, but a link to another: its files are not the drill's. */
    @Test
    void leftOverLink_isNotFollowed() throws IOException {
        Files.createDirectory(directory);
        Path precious =
                Files.createFile(Files.createDirectory(temp.resolve("precious")).resolve("app.db"));
        Files.createFile(directory.resolve("litestream-drill-0123456789abcdef.lock"));
        Files.createSymbolicLink(directory.resolve("litestream-drill-0123456789abcdef"), precious.getParent());
        assertThat(drill().outcome()).isEqualTo(DrillOutcome.PASSED);
        assertThat(precious).exists();
    }
}
