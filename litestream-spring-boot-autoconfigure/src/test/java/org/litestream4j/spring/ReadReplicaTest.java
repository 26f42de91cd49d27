package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.spring.readreplica.ReadReplicaAutoConfiguration;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.health.contributor.CompositeHealthContributor;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.sqlite.SQLiteDataSource;

/** An application that reads the replica of another one. */
class ReadReplicaTest {

    @TempDir
    Path folder;

    private ApplicationContextRunner reporting() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        LitestreamAutoConfiguration.class,
                        ReadReplicaAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        JdbcClientAutoConfiguration.class))
                .withPropertyValues("litestream.read-replicas.orders.url=file://" + folder.resolve("other-replica"));
    }

    /** Writes with the engine, as another application does. */
    private final class Primary implements AutoCloseable {

        private final Litestream litestream = Litestream.builder().build();
        private final ManagedDatabase database;
        private final JdbcClient client;

        Primary() throws Exception {
            Path path = folder.resolve("other.db");
            SQLiteDataSource source = new SQLiteDataSource();
            source.setUrl("jdbc:sqlite:" + path);
            database = litestream.register(
                    DatabaseConfig.builder(path, ReplicaLocation.of("file://" + folder.resolve("other-replica")))
                            .syncInterval(Duration.ofMillis(50))
                            .build());
            client = JdbcClient.create(database.wrap(source));
        }

        Txid run(String sql) throws Exception {
            client.sql(sql).update();
            database.sync(Duration.ofSeconds(30));
            return database.status().replicated();
        }

        @Override
        public void close() throws IOException {
            litestream.close();
        }
    }

    private static List<String> texts(JdbcClient client) {
        return client.sql("select x from t order by id").query(String.class).list();
    }

    @Test
    void onlyDataSource_isInjectedAndFollows() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            primary.run("insert into t(x) values ('one')");
            reporting().run(context -> {
                assertThat(context).hasNotFailed().hasSingleBean(DataSource.class);
                assertThat(context.getBeanNamesForType(DataSource.class)).containsExactly("orders");
                JdbcClient client = context.getBean(JdbcClient.class);
                assertThat(texts(client)).containsExactly("one");
                Txid txid = primary.run("insert into t(x) values ('two')");
                context.getBean(ReadReplica.class).awaitTxid(txid, Duration.ofSeconds(30));
                assertThat(texts(client)).containsExactly("one", "two");
                assertThatThrownBy(() ->
                                client.sql("insert into t(x) values ('no')").update())
                        .hasMessageContaining("readonly");
                assertThat(context.getBean(Litestream.class).databases()).isEmpty();
            });
        }
    }

    @Test
    void besideTheApplicationsOwn_isInjectedByNameOnly() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            primary.run("insert into t(x) values ('theirs')");
            reporting()
                    .withPropertyValues(
                            "spring.datasource.url=" + Runners.url(folder),
                            "litestream.replica.url=file://" + folder.resolve("replica"),
                            "litestream.durability=replicated")
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBeanNamesForType(DataSource.class))
                                .containsExactlyInAnyOrder("dataSource", "orders");
                        JdbcClient own = context.getBean(JdbcClient.class);
                        own.sql("create table t(id integer primary key, x text)")
                                .update();
                        own.sql("insert into t(x) values ('ours')").update();
                        assertThat(texts(own)).containsExactly("ours");
                        assertThat(texts(JdbcClient.create(context.getBean("orders", DataSource.class))))
                                .containsExactly("theirs");
                        assertThat(context.getBean(Litestream.class).databases())
                                .extracting(ManagedDatabase::name)
                                .containsExactly("app.db");
                    });
        }
    }

    @Test
    void urlOfAnotherPool_countsAsTheApplicationsOwn() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            reporting()
                    .withPropertyValues("spring.datasource.dbcp2.url=jdbc:sqlite:own.db")
                    .run(context -> assertThat(((AbstractBeanDefinition)
                                            context.getBeanFactory().getBeanDefinition("orders"))
                                    .isDefaultCandidate())
                            .isFalse());
        }
    }

    @Test
    void twoContexts_haveEachItsOwn() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            primary.run("insert into t(x) values ('one')");
            reporting().run(first -> reporting().run(second -> {
                assertThat(second).hasNotFailed();
                assertThat(texts(first.getBean(JdbcClient.class))).containsExactly("one");
                assertThat(texts(second.getBean(JdbcClient.class))).containsExactly("one");
                assertThat(second.getBean(ReadReplica.class).name()).isEqualTo("orders-2");
            }));
        }
    }

    @Test
    void moment_isPinned() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            primary.run("insert into t(x) values ('before')");
            Instant moment = Instant.now().plusMillis(1);
            while (!Instant.now().isAfter(moment.plusMillis(1))) {
                Thread.onSpinWait();
            }
            primary.run("insert into t(x) values ('after')");
            reporting()
                    .withPropertyValues("litestream.read-replicas.orders.as-of=" + moment)
                    .run(context ->
                            assertThat(texts(context.getBean(JdbcClient.class))).containsExactly("before"));
        }
    }

    @Test
    void momentSelectedInSql_endsWithTheUseOfThePooledConnection() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            primary.run("insert into t(x) values ('one')");
            reporting()
                    .withPropertyValues("litestream.read-replicas.orders.maximum-pool-size=1")
                    .run(context -> {
                        DataSource orders = context.getBean(DataSource.class);
                        try (Connection connection = orders.getConnection();
                                Statement statement = connection.createStatement()) {
                            statement.execute("select litestream_set_time('" + Instant.now() + "')");
                        }
                        Txid txid = primary.run("insert into t(x) values ('two')");
                        context.getBean(ReadReplica.class).awaitTxid(txid, Duration.ofSeconds(30));
                        assertThat(texts(context.getBean(JdbcClient.class))).containsExactly("one", "two");
                    });
        }
    }

    @Test
    void migrations_doNotRunOnIt() throws Exception {
        try (Primary primary = new Primary()) {
            primary.run("create table t(id integer primary key, x text)");
            reporting()
                    .withConfiguration(AutoConfigurations.of(FlywayAutoConfiguration.class))
                    .withPropertyValues("spring.flyway.locations=classpath:db/notes")
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBean(JdbcClient.class)
                                        .sql("select name from sqlite_schema")
                                        .query(String.class)
                                        .list())
                                .containsExactly("t");
                    });
        }
    }

    @Test
    void missingReplica_failsTheStartAndNamesIt() {
        reporting()
                .run(context ->
                        assertThat(context).hasFailed().getFailure().rootCause().hasMessageContaining("other-replica"));
    }

    @Test
    void missingUrl_isNamed() {
        reporting()
                .withPropertyValues(
                        "litestream.read-replicas.orders.url=", "litestream.read-replicas.orders.poll-interval=2s")
                .run(context -> assertThat(context)
                        .hasFailed()
                        .getFailure()
                        .rootCause()
                        .hasMessageContaining("litestream.read-replicas.orders.url is not set"));
    }

    @Test
    void unknownSetting_isRefusedWithTheNearestName() {
        reporting()
                .withPropertyValues("litestream.read-replicas.orders.poll-intervall=2s")
                .run(context -> assertThat(context)
                        .hasFailed()
                        .getFailure()
                        .rootCause()
                        .isInstanceOfSatisfying(LitestreamSettingException.class, e -> assertThat(e.remedy())
                                .contains("litestream.read-replicas.orders.poll-interval instead")));
    }

    @Test
    void healthAndMetrics_tellItsState() throws Exception {
        try (Primary primary = new Primary()) {
            Txid txid = primary.run("create table t(id integer primary key, x text)");
            reporting().run(context -> {
                texts(context.getBean(JdbcClient.class));
                CompositeHealthContributor health =
                        context.getBean("litestreamReadReplicasHealthContributor", CompositeHealthContributor.class);
                HealthIndicator orders = (HealthIndicator) health.getContributor("orders");
                assertThat(orders).isNotNull();
                assertThat(orders.health(true).getStatus()).isEqualTo(Status.UP);
                assertThat(orders.health(true).getDetails()).containsEntry("txid", txid.toString());
                MeterRegistry registry = new SimpleMeterRegistry();
                context.getBeansOfType(MeterBinder.class).values().forEach(binder -> binder.bindTo(registry));
                assertThat(registry.get("litestream.read.replica.txid").gauge().value())
                        .isEqualTo(txid.value());
                assertThat(registry.get("litestream.read.replica.requests")
                                .functionCounter()
                                .count())
                        .isPositive();
                String documented = Files.readString(Path.of("../docs/metrics.md"));
                assertThat(registry.getMeters())
                        .extracting(meter -> meter.getId().getName())
                        .filteredOn(name -> name.startsWith("litestream.read."))
                        .isNotEmpty()
                        .allSatisfy(name -> assertThat(documented).contains("| `" + name + "` |"));
            });
        }
    }
}
