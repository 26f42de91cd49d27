package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** A commit that waits for the replica holds its connection: fewer connections than threads are slower, but no deadlock. */
class PoolSizeTest {

    @TempDir
    Path folder;

    private static ManagedDatabase database(ApplicationContext context, String name) {
        return context.getBean(Litestream.class).database(name).orElseThrow();
    }

    @Test
    void moreThreadsThanConnections_allCommitReplicated() throws Exception {
        Runners.jdbc(folder)
                .withPropertyValues(
                        "spring.datasource.url=" + Runners.url(folder)
                                + "?busy_timeout=20000&transaction_mode=IMMEDIATE",
                        "litestream.durability=replicated",
                        "litestream.sync-interval=1h")
                .run(context -> {
                    HikariDataSource pool = context.getBean(HikariDataSource.class);
                    assertThat(pool.getMaximumPoolSize()).isEqualTo(10);
                    JdbcClient jdbc = context.getBean(JdbcClient.class);
                    jdbc.sql("create table t (x)").update();
                    ManagedDatabase database = database(context, "app.db");
                    long before = database.statistics().commitWaits().count();
                    TransactionTemplate transaction = new TransactionTemplate(new JdbcTransactionManager(pool));
                    ExecutorService threads = Executors.newFixedThreadPool(32);
                    List<Future<?>> commits = new ArrayList<>();
                    for (int i = 0; i < 32; i++) {
                        commits.add(threads.submit(() -> transaction.executeWithoutResult(
                                status -> jdbc.sql("insert into t values (1)").update())));
                    }
                    for (Future<?> commit : commits) {
                        commit.get(60, TimeUnit.SECONDS);
                    }
                    threads.shutdown();
                    assertThat(database.statistics().commitWaits().count() - before)
                            .isEqualTo(32);
                });
    }

    @Test
    void readOnlyTransactions_doNotWait_andSavepointsWaitOnceForAll() {
        Runners.jdbc(folder)
                .withPropertyValues("litestream.durability=replicated", "litestream.sync-interval=1h")
                .run(context -> {
                    DataSource pool = context.getBean(DataSource.class);
                    JdbcClient jdbc = context.getBean(JdbcClient.class);
                    jdbc.sql("create table t (x)").update();
                    ManagedDatabase database = database(context, "app.db");
                    TransactionTemplate outer = new TransactionTemplate(new JdbcTransactionManager(pool));
                    TransactionTemplate nested = new TransactionTemplate(outer.getTransactionManager());
                    nested.setPropagationBehavior(TransactionDefinition.PROPAGATION_NESTED);

                    long before = database.statistics().commitWaits().count();
                    outer.setReadOnly(true);
                    outer.executeWithoutResult(status -> assertThat(jdbc.sql("select count(*) from t")
                                    .query(Long.class)
                                    .single())
                            .isZero());
                    assertThat(database.statistics().commitWaits().count()).isEqualTo(before);

                    outer.setReadOnly(false);
                    outer.executeWithoutResult(status -> {
                        jdbc.sql("insert into t values (1)").update();
                        nested.executeWithoutResult(
                                inner -> jdbc.sql("insert into t values (2)").update());
                        nested.executeWithoutResult(inner -> {
                            jdbc.sql("insert into t values (3)").update();
                            inner.setRollbackOnly();
                        });
                        assertThat(database.statistics().commitWaits().count()).isEqualTo(before);
                    });
                    assertThat(database.statistics().commitWaits().count()).isEqualTo(before + 1);
                    assertThat(jdbc.sql("select count(*) from t")
                                    .query(Long.class)
                                    .single())
                            .isEqualTo(2);
                });
    }

    @Test
    void twoDatabases_eachWaitsAsItsOwnSettingSays() {
        Runners.jdbc(folder)
                .withBean("audit", HikariDataSource.class, this::audit)
                .withBean("main", HikariDataSource.class, this::main, definition -> definition.setPrimary(true))
                .withPropertyValues(
                        "litestream.sync-interval=1h",
                        "litestream.databases.main.durability=replicated",
                        "litestream.databases.audit.replica.url=file://" + folder.resolve("replica-audit"))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    DataSource mainPool = context.getBean("main", DataSource.class);
                    DataSource auditPool = context.getBean("audit", DataSource.class);
                    JdbcClient mainJdbc = JdbcClient.create(mainPool);
                    JdbcClient auditJdbc = JdbcClient.create(auditPool);
                    mainJdbc.sql("create table t (x)").update();
                    auditJdbc.sql("create table t (x)").update();
                    long ofMain =
                            database(context, "main").statistics().commitWaits().count();
                    long ofAudit = database(context, "audit")
                            .statistics()
                            .commitWaits()
                            .count();
                    TransactionTemplate both = new TransactionTemplate(new JdbcTransactionManager(mainPool));
                    TransactionTemplate inner = new TransactionTemplate(new JdbcTransactionManager(auditPool));
                    both.executeWithoutResult(status -> {
                        mainJdbc.sql("insert into t values (1)").update();
                        inner.executeWithoutResult(within ->
                                auditJdbc.sql("insert into t values (1)").update());
                    });
                    assertThat(database(context, "main")
                                    .statistics()
                                    .commitWaits()
                                    .count())
                            .isEqualTo(ofMain + 1);
                    assertThat(database(context, "audit")
                                    .statistics()
                                    .commitWaits()
                                    .count())
                            .isEqualTo(ofAudit);
                    context.getBean(LitestreamOperations.class).awaitReplicated(Duration.ofSeconds(20));
                });
    }

    private HikariDataSource audit() {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl("jdbc:sqlite:" + folder.resolve("data/audit.db"));
        return pool;
    }

    private HikariDataSource main() {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(Runners.url(folder));
        return pool;
    }
}
