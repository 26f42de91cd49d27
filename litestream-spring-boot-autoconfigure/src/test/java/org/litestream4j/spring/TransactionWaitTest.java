package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import jakarta.persistence.EntityManager;
import jakarta.persistence.PersistenceContext;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.NotReplicatedException;
import org.litestream4j.ReplicationTimeoutException;
import org.springframework.transaction.annotation.Transactional;

/** What goes on while a commit waits, what comes after it, and what the caller hears if it waits in vain. */
class TransactionWaitTest extends TransactionDurabilityFixture {

    @Test
    void timeout_reachesTheCaller_ofWhatIsCommitted() {
        application("litestream.durability-timeout=300ms").run(context -> {
            SeenWaits seen = new SeenWaits(context);
            replicaGoes();
            assertTimeout(catchThrowable(() -> seen.orders.addReplicated()));
            assertThat(seen.rows()).isEqualTo(1);
            replicaReturns();
            context.getBean(LitestreamOperations.class).awaitReplicated(TIMEOUT);
        });
        application("litestream.durability-timeout=300ms", REPLICATED).run(context -> {
            SeenWaits seen = new SeenWaits(context);
            replicaGoes();
            assertTimeout(catchThrowable(
                    () -> seen.jdbc.sql("insert into orders values (1)").update()));
            assertTimeout(catchThrowable(() -> seen.jdbc
                    .sql("insert into orders values (1) returning x")
                    .query(Long.class)
                    .single()));
            assertThat(seen.rows()).isEqualTo(3);
            replicaReturns();
        });
    }

    @Test
    void afterCommitListener_comesWhenItIsReplicated() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            Listener listener = context.getBean(Listener.class);
            seen.orders.addReplicated();
            assertThat(listener.waits).containsExactly(seen.waits());
        });
    }

    @Test
    void immediateTransactions_doNotHoldTheWriteLockWhileTheyWait() {
        application("spring.datasource.url=" + Runners.url(folder) + "?transaction_mode=IMMEDIATE")
                .withPropertyValues("litestream.durability-timeout=8s")
                .run(context -> {
                    SeenWaits seen = new SeenWaits(context);
                    replicaGoes();
                    List<Throwable> errors = new ArrayList<>();
                    Thread waiting = new Thread(() -> errors.add(catchThrowable(() -> seen.orders.addReplicated())));
                    waiting.start();
                    try (Connection other = DriverManager.getConnection(Runners.url(folder) + "?busy_timeout=0");
                            Statement statement = other.createStatement()) {
                        statement.execute("pragma wal_autocheckpoint=0");
                        while (waiting.getState() != Thread.State.TIMED_WAITING || seen.rows() == 0) {
                            Thread.onSpinWait();
                        }
                        statement.execute("insert into orders values (2)");
                        assertThat(waiting.isAlive()).isTrue();
                    }
                    waiting.join();
                    assertTimeout(errors.get(0));
                    replicaReturns();
                    seen.database.sync(TIMEOUT);
                    seen.assertWaits(1, () -> seen.orders.addReplicated());
                    seen.assertWaits(0, () -> seen.orders.countReplicated());
                    assertThat(seen.rows()).isEqualTo(3);
                });
    }

    @Test
    void jpa_waitsToo() {
        Runners.jpa(folder)
                .withUserConfiguration(RestoreOrderTest.Entities.class, Notes.class)
                .withPropertyValues("litestream.sync-interval=1h", "litestream.durability-timeout=8s")
                .run(context -> {
                    ManagedDatabase database = context.getBean(Litestream.class)
                            .databases()
                            .iterator()
                            .next();
                    Notes notes = context.getBean(Notes.class);
                    database.sync(TIMEOUT);
                    long before = database.statistics().commitWaits().count();
                    notes.add();
                    assertThat(database.statistics().commitWaits().count()).isEqualTo(before);
                    notes.addReplicated();
                    assertThat(database.statistics().commitWaits().count()).isEqualTo(before + 1);
                    assertThat(database.status().replicated())
                            .isEqualTo(database.status().captured());
                    replicaGoes();
                    assertTimeout(catchThrowable(notes::addReplicated));
                    assertThat(notes.count()).isEqualTo(3);
                    replicaReturns();
                });
    }

    @Test
    void operations_waitForAllOrOne() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            LitestreamOperations operations = context.getBean(LitestreamOperations.class);
            seen.orders.add();
            seen.assertWaits(1, () -> operations.awaitReplicated(TIMEOUT));
            seen.orders.add();
            assertThatThrownBy(() -> operations.awaitNextSync("app.db", Duration.ofMillis(200)))
                    .isInstanceOf(ReplicationTimeoutException.class);
            seen.assertWaits(1, () -> operations.awaitReplicated("app.db", TIMEOUT));
            seen.assertWaits(1, () -> operations.awaitNextSync(TIMEOUT));
            assertThatThrownBy(() -> operations.awaitReplicated("other", TIMEOUT))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("no replicated database is named \"other\"; the names are [app.db]");
            context.getBean(Litestream.class).database("app.db").orElseThrow().pause(TIMEOUT);
            assertThatThrownBy(() -> operations.awaitReplicated(TIMEOUT)).isInstanceOf(NotReplicatedException.class);
        });
    }

    static class Notes {
        @PersistenceContext
        private EntityManager entities;

        private long id;

        @Transactional
        public void add() {
            entities.persist(new RestoreOrderTest.Note(++id, "text"));
        }

        @Transactional(label = "litestream.replicated")
        public void addReplicated() {
            add();
        }

        @Transactional(readOnly = true)
        public long count() {
            return entities.createQuery("select count(n) from note n", Long.class)
                    .getSingleResult();
        }
    }
}
