package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import jakarta.persistence.EntityManager;
import jakarta.persistence.PersistenceContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.NotReplicatedException;
import org.litestream4j.ReplicationTimeoutException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Which commits wait for the replica. Nothing is captured here within the hour unless somebody waits for it. */
class TransactionDurabilityTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final String REPLICATED = "litestream.durability=replicated";

    @TempDir
    Path folder;

    private Path away;

    private ApplicationContextRunner application(String... settings) {
        return Runners.jdbc(folder)
                .withUserConfiguration(Orders.class, Nested.class, Listener.class)
                .withPropertyValues("litestream.sync-interval=1h", "litestream.durability-timeout=20s")
                .withPropertyValues(settings);
    }

    /** What a test sees of one application. */
    private static final class Seen {
        final Orders orders;
        final Nested nested;
        final JdbcClient jdbc;
        final ManagedDatabase database;

        Seen(ApplicationContext context) throws Exception {
            orders = context.getBean(Orders.class);
            nested = context.getBean(Nested.class);
            jdbc = context.getBean(JdbcClient.class);
            database = context.getBean(Litestream.class).databases().iterator().next();
            jdbc.sql("create table if not exists orders (x)").update();
            database.sync(TIMEOUT);
        }

        /** Commits that have waited, and until now. */
        long waits() {
            return database.statistics().commitWaits().count();
        }

        void assertWaits(int expected, Runnable action) {
            long before = waits();
            action.run();
            assertThat(waits() - before).isEqualTo(expected);
            if (expected > 0) {
                DatabaseStatus status = database.status();
                assertThat(status.replicated()).isEqualTo(status.captured());
            }
        }

        long rows() {
            return jdbc.sql("select count(*) from orders").query(Long.class).single();
        }
    }

    @Test
    void labels_beatTheDefaultAsync() {
        application().run(context -> {
            Seen seen = new Seen(context);
            seen.assertWaits(0, () -> seen.orders.add());
            seen.assertWaits(1, () -> seen.orders.addReplicated());
            seen.assertWaits(0, () -> seen.orders.add());
            seen.assertWaits(
                    0, () -> seen.jdbc.sql("insert into orders values (1)").update());
            assertThat(seen.database.status().captured())
                    .as("the last two were not captured")
                    .isEqualTo(seen.database.status().replicated());
        });
    }

    @Test
    void labels_beatTheDefaultReplicated() {
        application(REPLICATED).run(context -> {
            Seen seen = new Seen(context);
            seen.assertWaits(1, () -> seen.orders.add());
            seen.assertWaits(0, () -> seen.orders.addAsync());
            seen.assertWaits(
                    1, () -> seen.jdbc.sql("insert into orders values (1)").update());
            seen.assertWaits(1, () -> assertThat(seen.jdbc
                            .sql("insert into orders values (7) returning x")
                            .query(Long.class)
                            .single())
                    .isEqualTo(7));
            seen.assertWaits(0, () -> assertThat(seen.orders.count()).isEqualTo(4));
            seen.assertWaits(0, () -> assertThatThrownBy(() -> seen.orders.addAndFail())
                    .isInstanceOf(IllegalStateException.class));
        });
    }

    @Test
    void labelOfAClass_countsForItsMethods_behindAnInterface_unlessTheySayOtherwise() {
        application().withUserConfiguration(LabelledClass.class).run(context -> {
            Seen seen = new Seen(context);
            Ledger ledger = context.getBean(Ledger.class);
            seen.assertWaits(1, ledger::add);
            seen.assertWaits(0, ledger::addAsync);
        });
    }

    @Test
    void oneDatabase_hasItsOwnDurability() {
        application("litestream.databases.orders.durability=replicated").run(context -> {
            Seen seen = new Seen(context);
            seen.assertWaits(1, () -> seen.orders.add());
        });
    }

    @Test
    void transactionWithinAnother_waitsAtItsOwnCommit() {
        application().run(context -> {
            Seen seen = new Seen(context);
            seen.assertWaits(1, () -> seen.nested.readThenNewReplicated());
            assertThat(seen.nested.waitsWithin()).isEqualTo(1);
            seen.assertWaits(0, () -> seen.nested.readReplicatedThenNew());
        });
    }

    /** What the other one does at its end may come much later, or never. */
    @Test
    void commitOfOnesOwn_withinATransactionOfAnotherDatabase_waitsAtOnce() {
        application(REPLICATED).run(context -> {
            Seen seen = new Seen(context);
            DataSource dataSource = context.getBean(DataSource.class);
            DataSource other = new SimpleDriverDataSource(new org.h2.Driver(), "jdbc:h2:mem:other");
            TransactionTemplate template = new TransactionTemplate(new DataSourceTransactionManager(other));
            template.executeWithoutResult(outer -> {
                seen.assertWaits(1, () -> insertAndCommit(dataSource));
                outer.setRollbackOnly();
            });
            seen.assertWaits(1, () -> template.executeWithoutResult(outer -> insertAndCommit(dataSource)));
        });
    }

    private static void insertAndCommit(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.executeUpdate("insert into orders values (1)");
            connection.commit();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void methodThatJoins_hasItsWishHonoured_butCannotOptOut() {
        application().run(context -> {
            Seen seen = new Seen(context);
            seen.assertWaits(1, () -> seen.nested.joinReplicated());
            assertThat(seen.nested.waitsWithin()).isZero();
            seen.assertWaits(1, () -> seen.nested.replicatedJoinAsync());
            seen.assertWaits(0, () -> seen.orders.add());
        });
    }

    @Test
    void template_waitsAsTheSettingSays_andForAMethodThatJoins() {
        application().run(context -> {
            Seen seen = new Seen(context);
            TransactionTemplate template = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
            seen.assertWaits(0, () -> template.executeWithoutResult(status -> seen.orders.add()));
            seen.assertWaits(1, () -> template.executeWithoutResult(status -> seen.orders.addReplicated()));
        });
        deleteData();
        application(REPLICATED).run(context -> {
            Seen seen = new Seen(context);
            TransactionTemplate template = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));
            seen.assertWaits(1, () -> template.executeWithoutResult(status -> seen.orders.add()));
            seen.assertWaits(
                    0,
                    () -> template.executeWithoutResult(status -> {
                        seen.orders.add();
                        status.setRollbackOnly();
                    }));
        });
    }

    @Test
    void timeout_reachesTheCaller_ofWhatIsCommitted() {
        application("litestream.durability-timeout=300ms").run(context -> {
            Seen seen = new Seen(context);
            replicaGoes();
            assertTimeout(catchThrowable(() -> seen.orders.addReplicated()));
            assertThat(seen.rows()).isEqualTo(1);
            replicaReturns();
            context.getBean(LitestreamOperations.class).awaitReplicated(TIMEOUT);
        });
        application("litestream.durability-timeout=300ms", REPLICATED).run(context -> {
            Seen seen = new Seen(context);
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

    private static void assertTimeout(Throwable error) {
        assertThat(error).isInstanceOf(ReplicationTimeoutException.class).hasMessageContaining("committed locally");
    }

    @Test
    void afterCommitListener_comesWhenItIsReplicated() {
        application().run(context -> {
            Seen seen = new Seen(context);
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
                    Seen seen = new Seen(context);
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
            Seen seen = new Seen(context);
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

    @Test
    void unknownLabel_failsTheStart() {
        application().withUserConfiguration(Misspelt.class).run(context -> assertThat(context.getStartupFailure())
                .rootCause()
                .isInstanceOfSatisfying(LitestreamSettingException.class, error -> {
                    assertThat(error)
                            .hasMessage("@Transactional of " + Misspelt.class.getName()
                                    + ".add has the labels [litestream.replicate].");
                    assertThat(error.remedy())
                            .isEqualTo("Write one of the labels litestream.replicated and litestream.async.");
                }));
    }

    private void replicaGoes() throws IOException {
        away = Files.createTempDirectory(folder, "away").resolve("replica");
        Files.move(folder.resolve("replica"), away);
        Files.createFile(folder.resolve("replica"));
    }

    /** By a link that takes the file's place: between two steps an upload could begin the folder anew. */
    private void replicaReturns() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), away);
        Files.move(link, folder.resolve("replica"), StandardCopyOption.ATOMIC_MOVE);
    }

    private void deleteData() {
        try {
            Runners.loseDisk(folder);
            try (var paths = Files.walk(folder.resolve("replica"))) {
                for (Path path :
                        paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    interface Ledger {
        void add();

        void addAsync();
    }

    @Transactional(label = "litestream.replicated")
    static class LabelledClass implements Ledger {
        private final JdbcClient jdbc;

        LabelledClass(JdbcClient jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void add() {
            jdbc.sql("insert into orders values (1)").update();
        }

        @Override
        @Transactional(label = "litestream.async")
        public void addAsync() {
            add();
        }
    }

    static class Orders {
        private final JdbcClient jdbc;
        private final ApplicationEventPublisher events;

        Orders(JdbcClient jdbc, ApplicationEventPublisher events) {
            this.jdbc = jdbc;
            this.events = events;
        }

        private void insert() {
            jdbc.sql("insert into orders values (1)").update();
        }

        @Transactional
        public void add() {
            insert();
        }

        @Transactional(label = "litestream.replicated")
        public void addReplicated() {
            insert();
            events.publishEvent("added");
        }

        @Transactional(label = "litestream.async")
        public void addAsync() {
            insert();
        }

        @Transactional
        public void addAndFail() {
            insert();
            throw new IllegalStateException("on purpose");
        }

        @Transactional(readOnly = true)
        public long count() {
            return jdbc.sql("select count(*) from orders").query(Long.class).single();
        }

        @Transactional(label = "litestream.replicated")
        public long countReplicated() {
            return count();
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void addNew() {
            insert();
        }

        @Transactional(propagation = Propagation.REQUIRES_NEW, label = "litestream.replicated")
        public void addNewReplicated() {
            insert();
        }
    }

    static class Nested {
        private final Orders orders;
        private final ObjectProvider<Litestream> litestream;
        private long waitsWithin;

        Nested(Orders orders, ObjectProvider<Litestream> litestream) {
            this.orders = orders;
            this.litestream = litestream;
        }

        private long waits() {
            return litestream
                    .getObject()
                    .databases()
                    .iterator()
                    .next()
                    .statistics()
                    .commitWaits()
                    .count();
        }

        public long waitsWithin() { // a proxy has fields of its own
            return waitsWithin;
        }

        @Transactional
        public void readThenNewReplicated() {
            long before = waits();
            orders.addNewReplicated();
            waitsWithin = waits() - before;
        }

        @Transactional(label = "litestream.replicated")
        public void readReplicatedThenNew() {
            orders.addNew();
        }

        @Transactional
        public void joinReplicated() {
            long before = waits();
            orders.addReplicated();
            waitsWithin = waits() - before;
        }

        @Transactional(label = "litestream.replicated")
        public void replicatedJoinAsync() {
            orders.addAsync();
        }
    }

    static class Listener {
        final List<Long> waits = new ArrayList<>();
        private final ObjectProvider<Litestream> litestream;

        Listener(ObjectProvider<Litestream> litestream) {
            this.litestream = litestream;
        }

        @TransactionalEventListener
        void on(String event) {
            waits.add(litestream
                    .getObject()
                    .databases()
                    .iterator()
                    .next()
                    .statistics()
                    .commitWaits()
                    .count());
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Misspelt {
        @Bean
        Misspelt misspelt() {
            return new Misspelt();
        }

        @Transactional(label = "litestream.replicate")
        public void add() {}
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
