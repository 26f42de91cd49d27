package org.litestream4j.spring.observation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.common.KeyValue;
import io.micrometer.common.docs.KeyName;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.NotReplicatedException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

class LitestreamObservationsTest {

    private static final Path REFERENCE = Path.of("../docs/observations.md");
    private static final Pattern ROW =
            Pattern.compile("\\| `(litestream\\.operation\\.[a-z.]+)` \\|([^|]*)\\|([^|]*)\\|.*");
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final TestObservationRegistry registry = TestObservationRegistry.create();

    private ApplicationContextRunner application() {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        LitestreamAutoConfiguration.class,
                        LitestreamObservationAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        JdbcClientAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "litestream.replica.url=file://" + folder.resolve("replica"),
                        "litestream.sync-interval=10ms");
    }

    private ApplicationContextRunner observed() {
        return application().withBean(ObservationRegistry.class, (Supplier<ObservationRegistry>) () -> registry);
    }

    @Test
    void documentedObservations_areThoseThatAreMade_withTheirKeyValues() throws IOException {
        observed().run(context -> {
            everything(context);
            context.getBean(Litestream.class).close();
        });
        Map<String, Set<String>> made = new TreeMap<>();
        TestObservationRegistryAssert.assertThat(registry)
                .hasHandledContextsThatSatisfy(contexts -> contexts.forEach(
                        context -> made.computeIfAbsent(String.valueOf(context.getName()), name -> new TreeSet<>())
                                .addAll(keys(context))));
        Map<String, Set<String>> documented = new TreeMap<>();
        for (String line : Files.readAllLines(REFERENCE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                Set<String> keys = new TreeSet<>();
                Matcher key = Pattern.compile("`([a-z]+)`").matcher(row.group(2) + row.group(3));
                while (key.find()) {
                    keys.add(key.group(1));
                }
                documented.put(row.group(1), keys);
            }
        }
        assertThat(documented).hasSize(LitestreamOperation.Kind.values().length).isEqualTo(made);
        Map<String, Set<String>> declared = new TreeMap<>();
        for (LitestreamObservation each : LitestreamObservation.values()) {
            declared.put(
                    each.getName(),
                    Stream.of(each.getLowCardinalityKeyNames(), each.getHighCardinalityKeyNames())
                            .flatMap(Stream::of)
                            .map(KeyName::asString)
                            .collect(Collectors.toSet()));
        }
        assertThat(declared).isEqualTo(documented);
    }

    private static Set<String> keys(Observation.Context context) {
        return Stream.concat(
                        context.getLowCardinalityKeyValues().stream(), context.getHighCardinalityKeyValues().stream())
                .map(KeyValue::getKey)
                .collect(Collectors.toSet());
    }

    /** Each kind of operation, once at least. */
    private void everything(ApplicationContext context) throws Exception {
        ManagedDatabase database = insert(context);
        database.sync(TIMEOUT);
        insert(context);
        database.awaitReplicated(TIMEOUT);
        database.compact(TIMEOUT);
        database.restoreTo(folder.resolve("copy.db"), RestoreOptions.defaults());
    }

    private static ManagedDatabase insert(ApplicationContext context) {
        JdbcClient client = context.getBean(JdbcClient.class);
        client.sql("CREATE TABLE IF NOT EXISTS note(text)").update();
        client.sql("INSERT INTO note VALUES (hex(randomblob(1000)))").update();
        return context.getBean(Litestream.class).database("app.db").orElseThrow();
    }

    @Test
    void operations_areObserved_andHaveNoParentButTheWaitOfACommit() {
        observed().run(context -> {
            Observation request = Observation.createNotStarted("request", registry);
            request.observe(() -> {
                try {
                    everything(context);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            Observation restored = Observation.createNotStarted("check", registry);
            restored.observe(() -> assertThat(registry.getCurrentObservation()).isSameAs(restored));
        });
        TestObservationRegistryAssert.assertThat(registry).doesNotHaveAnyRemainingCurrentObservation();
        for (String lane : new String[] {"sync", "upload", "compaction"}) {
            TestObservationRegistryAssert.assertThat(registry)
                    .hasObservationWithNameEqualTo("litestream.operation." + lane)
                    .that()
                    .hasBeenStarted()
                    .hasBeenStopped()
                    .hasContextualNameEqualTo("litestream " + lane)
                    .hasLowCardinalityKeyValue("database", "app.db")
                    .doesNotHaveParentObservation()
                    .doesNotHaveError();
        }
        for (String own : new String[] {"commit.wait", "restore"}) {
            TestObservationRegistryAssert.assertThat(registry)
                    .hasAnObservation(one -> one.hasNameEqualTo("litestream.operation." + own)
                            .hasParentObservation()
                            .doesNotHaveError());
        }
    }

    @Test
    void failure_isTheErrorOfTheObservation() {
        observed().run(context -> {
            ManagedDatabase database = insert(context);
            context.getBean(Litestream.class).close();
            assertThatThrownBy(() -> database.awaitReplicated(TIMEOUT)).isInstanceOf(NotReplicatedException.class);
        });
        TestObservationRegistryAssert.assertThat(registry)
                .hasObservationWithNameEqualTo("litestream.operation.commit.wait")
                .that()
                .hasBeenStopped()
                .hasError()
                .thenError()
                .isInstanceOf(NotReplicatedException.class);
    }

    @Test
    void bootsMeterHandler_makesNoMetersOfThem_butOfOthers() {
        application()
                .withConfiguration(AutoConfigurations.of(
                        ObservationAutoConfiguration.class,
                        MetricsAutoConfiguration.class,
                        CompositeMeterRegistryAutoConfiguration.class,
                        SimpleMetricsExportAutoConfiguration.class))
                .run(context -> {
                    everything(context);
                    Observation.createNotStarted("others", context.getBean(ObservationRegistry.class))
                            .observe(() -> {});
                    assertThat(context).hasSingleBean(LitestreamObservations.class);
                    assertThat(context.getBean(MeterRegistry.class).getMeters())
                            .extracting(meter -> meter.getId().getName())
                            .contains("others")
                            .noneMatch(name -> name.startsWith("litestream.operation"));
                });
    }

    @Test
    void disabledByItsName_isNotObserved() {
        application()
                .withConfiguration(AutoConfigurations.of(ObservationAutoConfiguration.class))
                .withPropertyValues("management.observations.enable.litestream.operation.sync=false")
                .run(context -> {
                    LitestreamObservations observations = context.getBean(LitestreamObservations.class);
                    assertThat(observations.onBegin(operation(LitestreamOperation.Kind.SYNC)))
                            .isNull();
                });
    }

    private static LitestreamOperation operation(LitestreamOperation.Kind kind) {
        return new LitestreamOperation(kind, "app.db", LitestreamOperation.NO_LEVEL);
    }

    @Test
    void withoutRegistry_orMicrometer_orLitestream_thereAreNone() {
        application().run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamObservations.class));
        application()
                .withClassLoader(new FilteredClassLoader("io.micrometer"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean("litestreamObservations"));
        observed()
                .withPropertyValues("litestream.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(LitestreamObservations.class));
        observed()
                .withClassLoader(new FilteredClassLoader("io.micrometer.core"))
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(LitestreamObservations.class));
    }
}
