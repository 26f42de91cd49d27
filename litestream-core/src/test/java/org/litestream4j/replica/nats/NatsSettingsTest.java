package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.nats.NatsSettings.NewBucket;

class NatsSettingsTest {

    @Test
    void parse_urlAlone_hasTheDefaults() {
        NatsSettings settings = parse("nats://db.example/backups", Map.of());
        assertThat(settings.servers()).containsExactly("nats://db.example:4222");
        assertThat(settings.bucket()).isEqualTo("backups");
        assertThat(settings.path()).isEmpty();
        assertThat(settings.tls().enabled()).isFalse();
        assertThat(settings.newBucket()).isNull();
        assertThat(settings.connection())
                .isEqualTo(new NatsSettings.ConnectionSettings(
                        -1,
                        Duration.ofSeconds(2),
                        Duration.ofMillis(100),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(2),
                        2));
        assertThat(settings.url()).isEqualTo("nats://db.example:4222/backups");
    }

    @ParameterizedTest
    @CsvSource({
        "nats://h/b,'b',''",
        "nats://h/b/,'b',''",
        "nats://h/b/one,'b','one'",
        "nats://h/b//one/two/,'b','one/two'",
        "nats://h:1/b/a%20b,'b','a b'",
        "nats://h/b?timeout=1s,'b',''"
    })
    void parse_urlPath_isBucketAndPath(String url, String bucket, String path) {
        NatsSettings settings = parse(url, Map.of());
        assertThat(settings.bucket()).isEqualTo(bucket);
        assertThat(settings.path()).isEqualTo(path);
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#buckets")
    void parse_url_namesTheBucketThatLitestreamNames(String path, String bucket) {
        NatsSettings settings = parse("nats://h" + path, Map.of());
        assertThat(settings.bucket()).isEqualTo(bucket);
        assertThat(settings.path()).isEmpty();
    }

    @Test
    void parse_numberSign_isRefused() {
        assertThatThrownBy(() -> parse("nats://h/b?timeout=1s#c", Map.of()))
                .hasMessageContaining("# in its parameters");
        assertThatThrownBy(() -> parse("nats://h/b#c", Map.of()))
                .hasMessageContaining("#")
                .hasMessageContaining("%23");
    }

    @Test
    void parse_serverAloneWithSettings_isTheReferencesForm() {
        NatsSettings settings = parse("nats://h:4333", Map.of("bucket", "b", "path", "/app/"));
        assertThat(settings.url()).isEqualTo("nats://h:4333/b/app");
    }

    @Test
    void parse_severalServers_keepsTheirOrder() {
        assertThat(parse("nats://a,b:1,[::1]:2/b", Map.of()).servers())
                .containsExactly("nats://a:4222", "nats://b:1", "nats://[::1]:2");
        NatsSettings settings = parse("nats:///b", Map.of("urls", "tls://a:1, nats://b"));
        assertThat(settings.servers()).containsExactly("tls://a:1", "nats://b:4222");
        assertThat(settings.tls().enabled()).isTrue();
    }

    @Test
    void parse_userInUrl_isDecodedAndNeverShown() {
        NatsSettings settings = parse("nats://bob:s%40cret@h/b", Map.of());
        assertThat(settings.login().username()).isEqualTo("bob");
        assertThat(settings.login().password()).isEqualTo(new Secret("s@cret"));
        assertThat(settings.toString()
                        + settings.url()
                        + settings.login()
                        + settings.login().password())
                .doesNotContain("s@cret")
                .doesNotContain("s%40cret")
                .doesNotContain("bob");
        assertThat(parse("nats://tok3n@h/b", Map.of()).login().token()).isEqualTo(new Secret("tok3n"));
    }

    @Test
    void parse_settingAndParameter_settingWins() {
        NatsSettings settings = parse("nats://h/b?timeout=1s&reconnect-wait=250ms", Map.of("timeout", "PT3S"));
        assertThat(settings.connection().timeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(settings.connection().reconnectWait()).isEqualTo(Duration.ofMillis(250));
    }

    @Test
    void parse_bucketToCreate_takesItsSettings() {
        assertThat(parse("nats://h/b?create-bucket=true", Map.of()).newBucket()).isEqualTo(new NewBucket(false, 1, -1));
        Map<String, String> settings =
                Map.of("create-bucket", "true", "storage", "memory", "replicas", "3", "max-bytes", "2GiB");
        assertThat(parse("nats://h/b", settings).newBucket()).isEqualTo(new NewBucket(true, 3, 2L << 30));
    }

    @Test
    void parse_tlsFiles_turnTlsOn() {
        NatsSettings settings = parse("nats://h/b", Map.of("root-cas", "a.pem, b.pem"));
        assertThat(settings.tls().enabled()).isTrue();
        assertThat(settings.tls().rootCas()).containsExactly(Path.of("a.pem"), Path.of("b.pem"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nats:h/b",
                "nats:///b",
                "nats://h",
                "nats://h/b.c",
                "nats://h:99999/b",
                "nats://http://h/b",
                "nats://h/b?timeout",
                "nats://h/b?no-such=1",
                "nats://h/b?timeout=0s",
                "nats://h/b?timeout=soon",
                "nats://h/b?timeout=-PT1S",
                "nats://h/b?tls=maybe",
                "nats://h/b?max-reconnects=-2",
                "nats://h/b?replicas=3",
                "nats://h/b?create-bucket=true&replicas=9",
                "nats://h/b?create-bucket=true&replicas=0",
                "nats://h/b?create-bucket=true&storage=tape",
                "nats://h/b?create-bucket=true&max-bytes=0",
                "nats://h/b?create-bucket=true&max-bytes=many",
                "nats://h/b?create-bucket=true&max-bytes=9999999999TiB",
                "nats://h/b?client-cert=a.pem",
                "nats://h/b?client-key=a.pem",
                "nats://h/b?username=bob",
                "nats://h/b?password=x",
                "nats://h/b?jwt=x",
                "nats://h/b?seed=x",
                "nats://h/b?nkey=x&token=y",
                "nats://u:p@h/b?creds=a.creds",
                "nats://h/b%zz",
                "nats://h/b?urls=nats://u:p@h"
            })
    void parse_wrongSetting_isRefused(String url) {
        assertThatThrownBy(() -> parse(url, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("NATS: ");
    }

    @Test
    void parse_bucketNamedTwice_isRefused() {
        assertThatThrownBy(() -> parse("nats://h/b", Map.of("bucket", "c")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bucket");
        assertThat(parse("nats://h/b", Map.of("bucket", "b")).bucket()).isEqualTo("b");
    }

    @Test
    void parse_wrongServerWithPassword_doesNotShowIt() {
        for (String url : new String[] {
            "nats://h/b?urls=nats://u:s3cret@h",
            "nats://u:s3cret@h:port/b",
            "nats://h/b/a&password=s3cret",
            "nats://h/b/a;token=s3cret",
            "nats://u:s3cret%@h/b"
        }) {
            assertThatThrownBy(() -> parse(url, Map.of())).message().doesNotContain("s3cret");
        }
    }

    @Test
    void format_timestamps_dropTrailingZeros() {
        assertThat(StoredObject.format(java.time.Instant.ofEpochMilli(1_700_000_000_910L)))
                .isEqualTo("2023-11-14T22:13:20.91Z");
        assertThat(StoredObject.format(java.time.Instant.ofEpochSecond(1_700_000_000)))
                .isEqualTo("2023-11-14T22:13:20Z");
    }

    private static NatsSettings parse(String url, Map<String, String> settings) {
        return NatsSettingsParser.parse(new ReplicaLocation(url, settings));
    }
}
