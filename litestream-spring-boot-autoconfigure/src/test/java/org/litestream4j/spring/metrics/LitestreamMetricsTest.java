package org.litestream4j.spring.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.restore.RestoreOptions;
import org.sqlite.SQLiteDataSource;

class LitestreamMetricsTest {

    private static final Path REFERENCE = Path.of("../docs/metrics.md");
    private static final Pattern ROW = Pattern.compile("\\| `(litestream\\.[a-z0-9.]+)` \\| [^|]+ \\|([^|]*)\\|.*");
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final LitestreamMetrics metrics = new LitestreamMetrics(Clock.systemUTC());
    private Litestream litestream;

    @BeforeEach
    void begin() {
        litestream = Litestream.builder().listener(metrics).build();
    }

    @AfterEach
    void end() {
        litestream.close();
    }

    @Test
    void documentedMeters_areThoseThatAreRegistered_withTheirTags() throws Exception {
        metrics.bindTo(registry);
        register("app");
        Map<String, Set<String>> documented = new TreeMap<>();
        for (String line : Files.readAllLines(REFERENCE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches() && !row.group(1).matches("litestream\\.(read\\.replica|drills?)\\b.*")) {
                Set<String> tags = new TreeSet<>(Set.of("database"));
                Matcher tag = Pattern.compile("`([a-z]+)`").matcher(row.group(2));
                while (tag.find()) {
                    tags.add(tag.group(1));
                }
                documented.put(row.group(1), tags);
            }
        }
        Map<String, Set<String>> registered = new TreeMap<>();
        for (Meter meter : registry.getMeters()) {
            registered.put(
                    meter.getId().getName(),
                    meter.getId().getTags().stream().map(Tag::getKey).collect(Collectors.toCollection(TreeSet::new)));
        }
        assertThat(documented).isNotEmpty().isEqualTo(registered);
    }

    @Test
    void databases_comeAndGoWithTheirRegistration() throws Exception {
        register("before");
        metrics.bindTo(registry);
        register("after");
        assertThat(databases(registry)).containsExactly("after", "before");
        SimpleMeterRegistry second = new SimpleMeterRegistry();
        metrics.bindTo(second);
        litestream.unregister("before");
        assertThat(databases(registry)).containsExactly("after");
        assertThat(databases(second)).containsExactly("after");
        register("before");
        assertThat(databases(registry)).containsExactly("after", "before");
        litestream.close();
        assertThat(registry.getMeters()).isEmpty();
        assertThat(second.getMeters()).isEmpty();
    }

    @Test
    void databasesBeyondTheLimit_haveNoMeters_untilOthersLeave() throws Exception {
        LitestreamMetrics limited = new LitestreamMetrics(Clock.systemUTC(), 2);
        limited.bindTo(registry);
        try (Litestream folderOfMany = Litestream.builder().listener(limited).build()) {
            for (String name : new String[] {"one", "two", "three"}) {
                folderOfMany.register(DatabaseConfig.builder(
                                folder.resolve(name + ".db"),
                                ReplicaLocation.of("file://" + folder.resolve("replica-" + name)))
                        .name(name)
                        .build());
            }
            assertThat(databases(registry)).containsExactly("one", "two");
            folderOfMany.unregister("three");
            assertThat(databases(registry)).containsExactly("one", "two");
        }
    }

    @Test
    void values_areTheEngines() throws Exception {
        metrics.bindTo(registry);
        ManagedDatabase database = register("app");
        SQLiteDataSource physical = new SQLiteDataSource();
        physical.setUrl("jdbc:sqlite:" + folder.resolve("app.db"));
        try (Connection connection = database.wrap(physical).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t(x)");
            statement.execute("INSERT INTO t VALUES (zeroblob(100000))");
            database.sync(TIMEOUT);
            database.awaitReplicated(TIMEOUT);
            assertThat(gauge("litestream.validation.age")).isNaN();
            assertThat(gauge("litestream.validation.findings", "kind", "gap")).isNaN();
            assertThat(gauge("litestream.restore.bytes")).isNaN();
            database.compact(TIMEOUT);
            database.validate(false);
            database.restoreInPlace(RestoreOptions.defaults(), TIMEOUT);
            await().atMost(TIMEOUT).untilAsserted(() -> assertEngine(database)); // it may count between two looks
        }
    }

    private void assertEngine(ManagedDatabase database) throws IOException {
        assertThat(gauge("litestream.database.size")).isEqualTo((double) Files.size(folder.resolve("app.db")));
        assertThat(gauge("litestream.wal.size")).isEqualTo((double) Files.size(folder.resolve("app.db-wal")));
        assertThat(gauge("litestream.txid.captured"))
                .isEqualTo((double) database.status().captured().value())
                .isPositive();
        assertThat(gauge("litestream.txid.replicated"))
                .isEqualTo((double) database.status().replicated().value());
        assertThat(registry.get("litestream.sync").functionTimer().count())
                .isEqualTo((double) database.statistics().captures().count())
                .isPositive();
        assertThat(registry.get("litestream.sync").functionTimer().totalTime(TimeUnit.SECONDS))
                .isBetween(1e-6, 600.0);
        assertThat(registry.get("litestream.commit.wait").functionTimer().count())
                .isEqualTo(1);
        assertThat(registry.get("litestream.commit.wait").functionTimer().totalTime(TimeUnit.SECONDS))
                .isPositive()
                .isEqualTo(gauge("litestream.commit.wait.longest"));
        assertThat(counter("litestream.commit.wait.errors")).isZero();
        assertThat(counter("litestream.replica.operation.bytes", "operation", "put"))
                .isPositive();
        assertThat(registry.get("litestream.replica.operation")
                        .tag("operation", "list")
                        .functionTimer()
                        .count())
                .isPositive();
        assertThat(gauge("litestream.snapshot.age")).isBetween(0.0, 600.0);
        assertThat(gauge("litestream.level.files", "level", "9")).isEqualTo(1);
        assertThat(gauge("litestream.level.size", "level", "9")).isPositive();
        assertThat(gauge("litestream.validation.findings", "kind", "gap")).isZero();
        assertThat(gauge("litestream.validation.age")).isBetween(0.0, 600.0);
        assertThat(registry.get("litestream.restore").functionTimer().count()).isEqualTo(1);
        assertThat(gauge("litestream.restore.bytes")).isPositive().isEqualTo(gauge("litestream.restore.size"));
        assertThat(registry.get("litestream.write.lock").functionTimer().count())
                .isPositive();
        assertThat(gauge("litestream.write.lock.longest")).isPositive();
        assertThat(gauge("litestream.disk.full")).isZero();
    }

    private double gauge(String name, String... tags) {
        return registry.get(name).tags(tags).gauge().value();
    }

    private double counter(String name, String... tags) {
        return registry.get(name).tags(tags).functionCounter().count();
    }

    private static Set<String> databases(MeterRegistry registry) {
        return registry.getMeters().stream()
                .map(meter -> String.valueOf(meter.getId().getTag("database")))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private ManagedDatabase register(String name) throws IOException {
        return litestream.register(DatabaseConfig.builder(
                        folder.resolve(name + ".db"),
                        ReplicaLocation.of(
                                folder.resolve(name + "-replica").toUri().toString()))
                .name(name)
                .replaceWithEmpty(true)
                .syncInterval(Duration.ofMillis(10))
                .build());
    }
}
