package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.Txid;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Marks;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreException.Reason;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.EngineFixture;

/** Marks of a running engine, beside one of another process. */
class MarkTest extends EngineFixture {

    private long restored(ManagedDatabase database, RestoreTarget target) throws Exception {
        Path file = Files.createTempDirectory(folder, "restored").resolve("r.db");
        database.restoreTo(file, RestoreOptions.builder().target(target).build());
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file)) {
            return query(connection, "select x from t");
        }
    }

    /** Level-0 files are deleted as soon as they are merged, except those that the marks need. */
    @Test
    void marks_keepTheirExactStates() throws Exception {
        DatabaseConfig config = config().level0Retention(Duration.ZERO)
                .levels(List.of(Duration.ofSeconds(1), Duration.ofSeconds(2)))
                .snapshotRetention(Duration.ZERO)
                .build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                execute(connection, "create table t(x)", "insert into t values (0)");
                database.sync(TIMEOUT);
                Mark first = null;
                for (int i = 1; i <= 40; i++) {
                    execute(connection, "update t set x = " + i);
                    database.sync(TIMEOUT);
                    if (i == 5) {
                        first = database.mark("five", RestoreTarget.latest(), null, TIMEOUT);
                    }
                    if (i == 17) { // as another process does
                        try (ReplicaClient client = Replicas.open(config.replica())) {
                            Marks.add(client, "seventeen", RestoreTarget.latest(), null, Clock.systemUTC());
                        }
                    }
                    if (i % 3 == 0) {
                        database.compact(TIMEOUT);
                    }
                    if (i % 10 == 0) {
                        database.snapshot(TIMEOUT);
                    }
                }
                database.compact(TIMEOUT);
                assertThat(database.marks()).extracting(Mark::name).containsExactly("five", "seventeen");
                assertThat(restored(database, RestoreTarget.mark("five"))).isEqualTo(5);
                assertThat(restored(database, RestoreTarget.mark("seventeen"))).isEqualTo(17);
                assertThat(restored(database, RestoreTarget.latest())).isEqualTo(40);
                assertThat(database.validate(true).problems()).isEmpty();
                try (ReadReplica replica = ReadReplica.open(config.replica().url())) {
                    DataSource then = replica.asOfMark("five");
                    try (Connection past = then.getConnection()) {
                        assertThat(query(past, "select x from t")).isEqualTo(5);
                    }
                    assertThatThrownBy(() -> replica.asOfMark("none"))
                            .isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                                    .isEqualTo(Reason.NO_SUCH_MARK));
                }
                assertThatThrownBy(() -> database.mark("five", RestoreTarget.latest(), null, TIMEOUT))
                        .isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                                .isEqualTo(Reason.MARK_EXISTS));
                assertThat(first).isNotNull();
                assertThat(database.removeMark("five")).isTrue();
                assertThat(database.removeMark("five")).isFalse();
                Txid gone = first.txid();
                for (int i = 0; i < 4; i++) {
                    execute(connection, "update t set x = " + (100 + i));
                    database.sync(TIMEOUT);
                    database.compact(TIMEOUT);
                    database.snapshot(TIMEOUT);
                }
                database.compact(TIMEOUT);
                assertThatThrownBy(() -> database.mark("late", RestoreTarget.txid(gone), null, TIMEOUT))
                        .isInstanceOf(RestoreException.class);
                assertThat(restored(database, RestoreTarget.mark("seventeen"))).isEqualTo(17);
            }
        }
    }

    @Test
    void markOfAState_thatIsNotUploadedYet_waitsForIt() throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase database =
                    litestream.register(config().syncInterval(NEVER).build());
            try (Connection connection = open(database)) {
                execute(connection, "create table t(x)", "insert into t values (7)");
                Mark mark = database.mark("m", RestoreTarget.latest(), Duration.ofDays(30), TIMEOUT);
                assertThat(mark.expires()).isEqualTo(mark.created().plus(Duration.ofDays(30)));
                execute(connection, "update t set x = 8");
                database.sync(TIMEOUT);
                assertThat(restored(database, RestoreTarget.mark("m"))).isEqualTo(7);
                assertThatThrownBy(() -> database.mark("m 2", RestoreTarget.latest(), null, TIMEOUT))
                        .isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @Test
    void unreadableMark_isLeftOutOfTheList() throws Exception {
        DatabaseConfig config = config().build();
        try (Litestream litestream = litestream()) {
            ManagedDatabase database = litestream.register(config);
            try (Connection connection = open(database)) {
                execute(connection, "create table t(x)");
                database.mark("good", RestoreTarget.latest(), null, TIMEOUT);
            }
            try (ReplicaClient client = Replicas.open(config.replica())) {
                client.marks().orElseThrow().create("odd", new byte[] {1, 2, 3});
                assertThat(Marks.list(client)).extracting(Mark::name).containsExactly("good");
                assertThatThrownBy(() -> Marks.require(client, "odd"))
                        .isInstanceOfSatisfying(RestoreException.class, e -> assertThat(e.reason())
                                .isEqualTo(Reason.DAMAGED));
            }
            assertThat(database.marks()).extracting(Mark::name).containsExactly("good");
        }
    }
}
