package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import com.p6spy.engine.spy.P6DataSource;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.propagation.Propagator;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.instrumentation.jdbc.datasource.JdbcTelemetry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javax.sql.DataSource;
import net.ttddyy.dsproxy.support.ProxyDataSourceBuilder;
import net.ttddyy.observation.boot.autoconfigure.DataSourceObservationAutoConfiguration;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.beans.factory.config.BeanDefinitionHolder;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.Ordered;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.sqlite.SQLiteDataSource;

/** Proxies of JDBC instrumentation: the engine sees the connections behind them, or the application says that it does not. */
@ExtendWith(OutputCaptureExtension.class)
class JdbcProxiesTest {

    @TempDir
    Path folder;

    static Stream<Named<UnaryOperator<DataSource>>> proxies() {
        return Stream.of(
                Named.of("datasource-proxy", target -> ProxyDataSourceBuilder.create(target)
                        .name("app")
                        .build()),
                Named.of("p6spy", P6DataSource::new),
                Named.of("OpenTelemetry", target -> JdbcTelemetry.create(OpenTelemetry.noop())
                        .wrap(target)),
                Named.of("AOP proxy of the class", target -> aop(target, true)),
                Named.of("AOP proxy of the interface", target -> aop(target, false)),
                Named.of("datasource-proxy over OpenTelemetry", target -> ProxyDataSourceBuilder.create(
                                JdbcTelemetry.create(OpenTelemetry.noop()).wrap(target))
                        .build()));
    }

    private static DataSource aop(DataSource target, boolean ofClass) {
        ProxyFactory factory = new ProxyFactory(target);
        factory.setProxyTargetClass(ofClass);
        return (DataSource) factory.getProxy();
    }

    static Stream<Named<Function<String, DataSource>>> pools() {
        return Stream.of(
                Named.of("Hikari", url -> DataSourceBuilder.create().url(url).build()),
                Named.of("started Hikari", url -> {
                    HikariConfig config = new HikariConfig();
                    config.setJdbcUrl(url);
                    return new HikariDataSource(config);
                }),
                Named.of("SQLite's", url -> {
                    SQLiteDataSource dataSource = new SQLiteDataSource();
                    dataSource.setUrl(url);
                    return dataSource;
                }));
    }

    static Stream<Arguments> proxiesAndPools() {
        return proxies().flatMap(proxy -> pools().map(pool -> Arguments.of(proxy, pool)));
    }

    private ApplicationContextRunner application() {
        return Runners.jdbc(folder)
                .withPropertyValues(
                        "litestream.durability=replicated",
                        "litestream.durability-timeout=20s",
                        "litestream.sync-interval=1h");
    }

    @ParameterizedTest
    @MethodSource("proxiesAndPools")
    void beanThatIsAProxy_commitsWaitForTheReplica(UnaryOperator<DataSource> proxy, Function<String, DataSource> pool) {
        application()
                .withBean("dataSource", DataSource.class, () -> proxy.apply(pool.apply(Runners.url(folder))))
                .run(JdbcProxiesTest::assertCommitsWait);
    }

    @ParameterizedTest
    @MethodSource("proxiesAndPools")
    void beanThatIsAProxyOfAnUnnamedDatabase_isRestoredAndItsCommitsWait(
            UnaryOperator<DataSource> proxy, Function<String, DataSource> pool) {
        boolean started = pool.apply("jdbc:sqlite::memory:") instanceof HikariDataSource hikari && hikari.isRunning();
        if (started) {
            return; // it has opened the database before a restore is possible, which fails the start
        }
        ApplicationContextRunner application = application()
                .withPropertyValues("spring.datasource.url=")
                .withBean("dataSource", DataSource.class, () -> proxy.apply(pool.apply(Runners.url(folder))));
        assertThat(folder.resolve("data").toFile().mkdirs()).isTrue();
        application.run(JdbcProxiesTest::assertCommitsWait);
    }

    @ParameterizedTest
    @MethodSource("proxies")
    void postProcessorThatProxies_beforeOurs_doesNotFailTheStart(UnaryOperator<DataSource> proxy) {
        for (String url : new String[] {Runners.url(folder), ""}) {
            application()
                    .withPropertyValues("spring.datasource.url=" + url)
                    .withBean("dataSource", DataSource.class, () -> DataSourceBuilder.create()
                            .url(Runners.url(folder))
                            .build())
                    .withBean(Proxying.class, () -> new Proxying(proxy))
                    .run(JdbcProxiesTest::assertCommitsWait);
        }
    }

    @ParameterizedTest
    @MethodSource("proxies")
    void postProcessorThatProxies_anotherPool_commitsWait(UnaryOperator<DataSource> proxy) {
        application()
                .withPropertyValues("spring.datasource.type=org.apache.tomcat.jdbc.pool.DataSource")
                .withBean(Proxying.class, () -> new Proxying(proxy))
                .run(JdbcProxiesTest::assertCommitsWait);
    }

    @Test
    void opaqueProxyOfAPoolThatIsSeen_isLeftInPeace() {
        application()
                .withPropertyValues("spring.datasource.url=")
                .withBean("dataSource", DataSource.class, () -> DataSourceBuilder.create()
                        .url(Runners.url(folder))
                        .build())
                .withBean(Proxying.class, () -> new Proxying(Opaque::new))
                .run(JdbcProxiesTest::assertCommitsWait);
    }

    @ParameterizedTest
    @MethodSource("pools")
    void datasourceMicrometer_commitsWait(Function<String, DataSource> pool) {
        ApplicationContextRunner observed = application()
                .withConfiguration(AutoConfigurations.of(
                        ObservationAutoConfiguration.class, DataSourceObservationAutoConfiguration.class))
                .withBean(Tracer.class, () -> Tracer.NOOP)
                .withBean(Propagator.class, () -> Propagator.NOOP);
        observed.withBean("dataSource", DataSource.class, () -> pool.apply(Runners.url(folder)))
                .run(JdbcProxiesTest::assertCommitsWait);
        observed.run(JdbcProxiesTest::assertCommitsWait);
    }

    @ParameterizedTest
    @CsvSource({"singleton, TARGET_CLASS", "singleton, INTERFACES", "prototype, TARGET_CLASS", "prototype, INTERFACES"})
    void scopedProxy_isKnownByItsName_andCommitsWait(String scope, ScopedProxyMode mode, CapturedOutput output) {
        application()
                .withInitializer(context -> {
                    var registry = (BeanDefinitionRegistry) context.getBeanFactory();
                    var definition = new RootBeanDefinition(SQLiteDataSource.class, () -> sqlite(Runners.url(folder)));
                    definition.setScope(scope);
                    registry.registerBeanDefinition(
                            "ds",
                            ScopedProxyUtils.createScopedProxy(
                                            new BeanDefinitionHolder(definition, "ds"),
                                            registry,
                                            mode == ScopedProxyMode.TARGET_CLASS)
                                    .getBeanDefinition());
                })
                .run(context -> {
                    assertCommitsWait(context);
                    assertThat(output).doesNotContain("is not replicated", "cannot be inspected", "scopedTarget");
                });
    }

    @Test
    void unseenDataSource_withDurabilityReplicated_failsTheStart() {
        application()
                .withBean("dataSource", DataSource.class, () -> new Opaque(sqlite(Runners.url(folder))))
                .run(context -> assertThat(context)
                        .getFailure()
                        .rootCause()
                        .isInstanceOf(LitestreamSettingException.class)
                        .hasMessageContaining("dataSource")
                        .hasMessageContaining(Opaque.class.getName())
                        .hasMessageContaining("durability"));
    }

    @Test
    void unseenDataSource_isAWarning(CapturedOutput output) {
        application()
                .withPropertyValues("litestream.durability=async")
                .withBean("dataSource", DataSource.class, () -> new Opaque(sqlite(Runners.url(folder))))
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output)
                            .contains("DataSource cannot be inspected")
                            .contains("bean=dataSource");
                });
    }

    @Test
    void unseenDataSource_thatIsSwitchedOff_isFine(CapturedOutput output) {
        application()
                .withBean("other", DataSource.class, () -> new Opaque(sqlite("jdbc:sqlite::memory:")))
                .withBean("dataSource", DataSource.class, () -> sqlite(Runners.url(folder)))
                .withPropertyValues("litestream.databases.other.enabled=false")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output).doesNotContain("cannot be inspected");
                });
    }

    private static SQLiteDataSource sqlite(String url) {
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setUrl(url);
        return dataSource;
    }

    private static void assertCommitsWait(ApplicationContext context) {
        assertThat(((org.springframework.boot.test.context.assertj.AssertableApplicationContext) context))
                .hasNotFailed();
        ManagedDatabase database =
                context.getBean(Litestream.class).databases().iterator().next();
        JdbcClient jdbc = context.getBean(JdbcClient.class);
        jdbc.sql("create table if not exists t (x)").update();
        long before = database.statistics().commitWaits().count();
        jdbc.sql("insert into t values (1)").update();
        assertThat(database.statistics().commitWaits().count() - before)
                .as("waits, one per commit and not one per proxy")
                .isEqualTo(1);
        assertThat(database.status().replicated()).isEqualTo(database.status().captured());
    }

    /** Comes before ours, as that of the OpenTelemetry starter. */
    private record Proxying(UnaryOperator<DataSource> proxy) implements BeanPostProcessor, Ordered {
        @Override
        public Object postProcessAfterInitialization(Object bean, String beanName) {
            return bean instanceof DataSource dataSource ? proxy.apply(dataSource) : bean;
        }

        @Override
        public int getOrder() {
            return LOWEST_PRECEDENCE - 20;
        }
    }

    /** Shows nothing of what it opens. */
    private static final class Opaque extends AbstractDataSource {

        private final DataSource hidden;

        Opaque(DataSource hidden) {
            this.hidden = hidden;
        }

        @Override
        public Connection getConnection() throws SQLException {
            return hidden.getConnection();
        }

        @Override
        public Connection getConnection(String username, String password) throws SQLException {
            return hidden.getConnection(username, password);
        }
    }
}
