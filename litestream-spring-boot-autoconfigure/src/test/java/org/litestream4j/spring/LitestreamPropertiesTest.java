package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Durability;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.spring.LitestreamProperties.OnStartup;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class LitestreamPropertiesTest {

    @TempDir
    Path folder;

    @Test
    void defaults_areTheCores() {
        assertThat(new DatabaseConfigs(
                                bind(Map.of("litestream.replica.url", "file:///backup")),
                                application(),
                                DataSourceBeans.NONE)
                        .create())
                .containsExactly(DatabaseConfig.builder(folder.resolve("app.db"), ReplicaLocation.of("file:///backup"))
                        .failFast(false)
                        .build());
    }

    @Test
    void defaults_ofTheStarter() {
        LitestreamProperties properties = bind(Map.of());
        assertThat(properties.enabled()).isTrue();
        assertThat(properties.restore().onStartup()).isEqualTo(OnStartup.IF_MISSING);
        assertThat(properties.restore().directory()).isNull();
        assertThat(properties.restore().parallelism())
                .isEqualTo(RestoreOptions.defaults().parallelism());
        assertThat(properties.restore().integrityCheck())
                .isEqualTo(RestoreOptions.defaults().integrityCheck());
        assertThat(properties.health().lagWarning()).hasMinutes(1);
        assertThat(properties.health().lagDown()).hasMinutes(10);
    }

    @Test
    void settings_reachTheConfiguration() {
        Path meta = folder.resolve("meta");
        assertThat(new DatabaseConfigs(
                                bind(Map.ofEntries(
                                        Map.entry("litestream.replica.url", "file:///backup"),
                                        Map.entry("litestream.meta-path", meta.toString()),
                                        Map.entry("litestream.sync-interval", "250ms"),
                                        Map.entry("litestream.busy-timeout", "2s"),
                                        Map.entry("litestream.checkpoint-interval", "30s"),
                                        Map.entry("litestream.min-checkpoint-pages", "500"),
                                        Map.entry("litestream.wal-limit-pages", "8000"),
                                        Map.entry("litestream.max-sync-wal-size", "16MB"),
                                        Map.entry("litestream.level0-retention", "10m"),
                                        Map.entry("litestream.levels", "10s,1m"),
                                        Map.entry("litestream.snapshot.interval", "12h"),
                                        Map.entry("litestream.snapshot.retention", "7d"),
                                        Map.entry("litestream.retention.enabled", "false"),
                                        Map.entry("litestream.validation.interval", "6h"),
                                        Map.entry("litestream.shutdown-sync-timeout", "5s"),
                                        Map.entry("litestream.database-checksum", "false"),
                                        Map.entry("litestream.replace-with-empty", "true"),
                                        Map.entry("litestream.adopt-replica", "true"),
                                        Map.entry("litestream.auto-recover", "false"),
                                        Map.entry("litestream.durability", "replicated"),
                                        Map.entry("litestream.durability-timeout", "3s"),
                                        Map.entry("litestream.page-encoding", "frame"))),
                                application(),
                                DataSourceBeans.NONE)
                        .create())
                .containsExactly(DatabaseConfig.builder(folder.resolve("app.db"), ReplicaLocation.of("file:///backup"))
                        .metaPath(meta)
                        .syncInterval(Duration.ofMillis(250))
                        .busyTimeout(Duration.ofSeconds(2))
                        .checkpointInterval(Duration.ofSeconds(30))
                        .minCheckpointPages(500)
                        .walLimitPages(8000)
                        .maxSyncWalBytes(16 << 20)
                        .level0Retention(Duration.ofMinutes(10))
                        .levels(List.of(Duration.ofSeconds(10), Duration.ofMinutes(1)))
                        .snapshotInterval(Duration.ofHours(12))
                        .snapshotRetention(Duration.ofDays(7))
                        .retentionEnabled(false)
                        .validationInterval(Duration.ofHours(6))
                        .shutdownSyncTimeout(Duration.ofSeconds(5))
                        .pageEncoding(PageEncoding.FRAME)
                        .databaseChecksum(false)
                        .replaceWithEmpty(true)
                        .adoptReplica(true)
                        .autoRecover(false)
                        .durability(Durability.REPLICATED)
                        .durabilityTimeout(Duration.ofSeconds(3))
                        .failFast(false)
                        .build());
    }

    @Test
    void namedDatabase_overridesAndInherits() {
        assertThat(new DatabaseConfigs(
                                bind(Map.of(
                                        "litestream.replica.url", "file:///backup/app",
                                        "litestream.busy-timeout", "2s",
                                        "litestream.databases.audit.path",
                                                folder.resolve("audit.db").toString(),
                                        "litestream.databases.audit.replica.url", "file:///backup/audit",
                                        "litestream.databases.audit.sync-interval", "10s",
                                        "litestream.durability", "replicated",
                                        "litestream.databases.audit.durability", "async",
                                        "litestream.snapshot.retention", "3d",
                                        "litestream.databases.audit.snapshot.interval", "1h",
                                        "litestream.databases.main.sync-interval", "2s")),
                                application(),
                                DataSourceBeans.NONE)
                        .create())
                .containsExactly(
                        DatabaseConfig.builder(folder.resolve("audit.db"), ReplicaLocation.of("file:///backup/audit"))
                                .name("audit")
                                .busyTimeout(Duration.ofSeconds(2))
                                .syncInterval(Duration.ofSeconds(10))
                                .snapshotInterval(Duration.ofHours(1))
                                .snapshotRetention(Duration.ofDays(3))
                                .durability(Durability.ASYNC)
                                .failFast(false)
                                .build(),
                        DatabaseConfig.builder(folder.resolve("app.db"), ReplicaLocation.of("file:///backup/app"))
                                .name("main")
                                .busyTimeout(Duration.ofSeconds(2))
                                .syncInterval(Duration.ofSeconds(2))
                                .snapshotRetention(Duration.ofDays(3))
                                .durability(Durability.REPLICATED)
                                .failFast(false)
                                .build());
    }

    @Test
    void namedDatabaseWithTheApplicationsPath_isTheApplications() {
        assertThat(new DatabaseConfigs(
                                bind(Map.of(
                                        "litestream.databases.main.path",
                                        folder.resolve("app.db").toString(),
                                        "litestream.databases.main.replica.url",
                                        "file:///backup")),
                                application(),
                                DataSourceBeans.NONE)
                        .create())
                .extracting(DatabaseConfig::name)
                .containsExactly("main");
    }

    @Test
    void everyS3Setting_isKnownToTheCore() {
        Map<String, String> settings = new HashMap<>();
        settings.put("litestream.replica.url", "s3://bucket/path");
        Map<String, String> values = Map.of(
                "forcePathStyle", "true",
                "partSize", "8MB",
                "concurrency", "3",
                "skipVerify", "false",
                "signPayload", "true",
                "requireContentMd5", "false",
                "sseCustomerAlgorithm", "AES256",
                "sseCustomerKey", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
                "sseCustomerKeyMd5", "UhbdzFjo2t5SVgded/ZC2g==",
                "conditionalWrites", "on");
        for (RecordComponent component : ReplicaProperties.S3.class.getRecordComponents()) {
            String name = component.getName();
            if (name.equals("objectLock")) {
                settings.put("litestream.replica.s3.object-lock.mode", "governance");
                settings.put("litestream.replica.s3.object-lock.retain", "30d");
            } else if (!name.equals("sseKmsKeyId") && !name.equals("sseCustomerKeyPath")) { // one kind of key at a time
                settings.put("litestream.replica.s3." + kebabCase(name), values.getOrDefault(name, "eu-central-1"));
            }
        }
        ReplicaLocation location = replica(settings);
        assertThat(location.settings())
                .hasSize(ReplicaProperties.S3.class.getRecordComponents().length - 1)
                .containsEntry("object-lock-mode", "governance")
                .containsEntry("object-lock-retain", "PT720H")
                .containsEntry("part-size", "8388608")
                .containsEntry("force-path-style", "true")
                .containsEntry("require-content-md5", "false");
        assertThatCode(() -> Replicas.open(location).close()).doesNotThrowAnyException();
    }

    @Test
    void everyNatsSetting_isKnownToTheCore() {
        Map<String, String> settings = new HashMap<>();
        settings.put("litestream.replica.url", "nats://localhost/bucket");
        Map<String, String> values = Map.ofEntries(
                Map.entry("urls", "one:4222,two:4222"),
                Map.entry("rootCas", "ca.pem"),
                Map.entry("tls", "true"),
                Map.entry("maxReconnects", "3"),
                Map.entry("reconnectWait", "1s"),
                Map.entry("reconnectJitter", "10ms"),
                Map.entry("timeout", "5s"),
                Map.entry("pingInterval", "1m"),
                Map.entry("maxPingsOut", "2"),
                Map.entry("createBucket", "true"),
                Map.entry("storage", "file"),
                Map.entry("replicas", "3"),
                Map.entry("maxBytes", "1GB"));
        for (RecordComponent component : ReplicaProperties.Nats.class.getRecordComponents()) {
            String name = component.getName();
            if (!List.of("token", "nkey", "jwt", "seed", "creds").contains(name)) { // one way to log in at a time
                settings.put("litestream.replica.nats." + kebabCase(name), values.getOrDefault(name, "bucket"));
            }
        }
        ReplicaLocation location = replica(settings);
        assertThat(location.settings())
                .containsEntry("urls", "one:4222,two:4222")
                .containsEntry("reconnect-wait", "PT1S")
                .containsEntry("max-bytes", "1073741824");
        assertThatThrownBy(() -> Replicas.open(location).close()).hasMessageContaining("the NATS library is missing");
    }

    @Test
    void namedDatabase_sharesCredentialsButNotThePlace() {
        List<DatabaseConfig> configs = new DatabaseConfigs(
                        bind(Map.of(
                                "litestream.replica.url", "s3://app",
                                "litestream.replica.s3.path", "one",
                                "litestream.replica.s3.region", "eu-central-1",
                                "litestream.replica.s3.access-key-id", "id",
                                "litestream.replica.s3.secret-access-key", "verysecret",
                                "litestream.databases.audit.path",
                                        folder.resolve("audit.db").toString(),
                                "litestream.databases.audit.replica.url", "s3://audit",
                                "litestream.databases.audit.replica.s3.region", "eu-west-1")),
                        application(),
                        DataSourceBeans.NONE)
                .create();
        assertThat(configs)
                .extracting(config -> config.replica().settings())
                .containsExactly(
                        Map.of(
                                "region",
                                "eu-central-1",
                                "path",
                                "one",
                                "access-key-id",
                                "id",
                                "secret-access-key",
                                "verysecret"),
                        Map.of("region", "eu-west-1", "access-key-id", "id", "secret-access-key", "verysecret"));
    }

    @Test
    void replicasThatAreOneBySettings_areRefused() {
        DatabaseConfigs configs = new DatabaseConfigs(
                bind(Map.of(
                        "litestream.replica.url", "s3://bucket/app",
                        "litestream.replica.s3.region", "eu-central-1",
                        "litestream.databases.audit.path",
                                folder.resolve("audit.db").toString(),
                        "litestream.databases.audit.replica.url", "s3://bucket",
                        "litestream.databases.audit.replica.s3.path", "app")),
                application(),
                DataSourceBeans.NONE);
        assertThatThrownBy(configs::create)
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("have the replica in common");
    }

    @Test
    void toString_showsNoSecret() {
        LitestreamProperties properties = bind(Map.of(
                "litestream.replica.url", "nats://user:verysecret@localhost/bucket",
                "litestream.replica.nats.password", "verysecret",
                "litestream.replica.s3.secret-access-key", "verysecret",
                "litestream.databases.a.replica.s3.session-token", "verysecret"));
        assertThat(properties.toString()).doesNotContain("verysecret");
        assertThat(properties.replica().s3().toString() + properties.replica().nats())
                .doesNotContain("verysecret");
    }

    private ReplicaLocation replica(Map<String, String> settings) {
        return new DatabaseConfigs(bind(settings), application(), DataSourceBeans.NONE)
                .create()
                .get(0)
                .replica();
    }

    private static String kebabCase(String name) {
        return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private ApplicationDatabase application() {
        return () -> Optional.of("jdbc:sqlite:" + folder.resolve("app.db"));
    }

    private static LitestreamProperties bind(Map<String, String> settings) {
        return new Binder(new MapConfigurationPropertySource(settings))
                .bindOrCreate("litestream", LitestreamProperties.class);
    }
}
