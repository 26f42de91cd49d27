package org.litestream4j.spring.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

class LitestreamMetricsAutoConfigurationTest {

    @TempDir
    Path folder;

    private ApplicationContextRunner metered() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        MetricsAutoConfiguration.class,
                        CompositeMeterRegistryAutoConfiguration.class,
                        SimpleMetricsExportAutoConfiguration.class,
                        LitestreamAutoConfiguration.class,
                        LitestreamMetricsAutoConfiguration.class,
                        DataSourceAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "litestream.replica.url=file://" + folder.resolve("replica"));
    }

    @Test
    void registry_hasTheMetersOfTheApplicationsDatabase() {
        metered().run(context -> {
            MeterRegistry registry = context.getBean(MeterRegistry.class);
            assertThat(registry.get("litestream.lag").tag("database", "app.db").gauge())
                    .isNotNull();
            context.getBean(Litestream.class).unregister("app.db");
            assertThat(registry.find("litestream.lag").gauge()).isNull();
        });
    }

    @Test
    void tags_holdNoPlace() {
        metered().run(context -> {
            List<String> values = context.getBean(MeterRegistry.class).getMeters().stream()
                    .filter(meter -> meter.getId().getName().startsWith("litestream."))
                    .flatMap(meter -> meter.getId().getTags().stream())
                    .map(Tag::getValue)
                    .toList();
            assertThat(values).isNotEmpty().noneMatch(value -> value.contains("/"));
        });
    }

    @Test
    void lazyApplication_hasThemToo() {
        metered().withPropertyValues("spring.main.lazy-initialization=true").run(context -> {
            context.getBean(javax.sql.DataSource.class);
            assertThat(context.getBean(MeterRegistry.class)
                            .get("litestream.lag")
                            .gauge())
                    .isNotNull();
        });
    }

    @Test
    void withoutRegistry_orMicrometer_orLitestream_thereAreNone() {
        ApplicationContextRunner plain = metered().withClassLoader(new FilteredClassLoader("io.micrometer"));
        plain.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("litestreamMetrics"));
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        LitestreamAutoConfiguration.class,
                        LitestreamMetricsAutoConfiguration.class,
                        DataSourceAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "litestream.replica.url=file://" + folder.resolve("replica"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamMetrics.class));
        metered()
                .withPropertyValues("litestream.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamMetrics.class));
    }
}
