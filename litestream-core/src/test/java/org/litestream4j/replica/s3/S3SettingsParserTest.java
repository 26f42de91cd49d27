package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaLocation;

class S3SettingsParserTest {

    private static final String KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private static S3Settings parse(String url) {
        return S3SettingsParser.parse(ReplicaLocation.of(url));
    }

    private static S3Settings parse(String url, Map<String, String> settings) {
        return S3SettingsParser.parse(new ReplicaLocation(url, settings));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "s3://bucket/a/b, bucket, a/b, -, -, false",
                "s3://bucket/a/b/, bucket, a/b, -, -, false",
                "s3://bucket//a/./x/../b, bucket, a/b, -, -, false",
                "s3://bucket/, bucket, '', -, -, false",
                "s3://bucket, bucket, ., -, -, false",
                "s3://bucket/a%20b, bucket, a b, -, -, false",
                "s3://bucket/a+b, bucket, a+b, -, -, false",
                "s3://bucket/a%2Bb, bucket, a+b, -, -, false",
                "s3://MyBucket.S3.eu-west-1.amazonaws.com/p, MyBucket, p, eu-west-1, -, false",
                "s3://bucket/p?region=eu-central-1, bucket, p, eu-central-1, -, false",
                "s3://my.bucket.s3.eu-west-1.amazonaws.com/p, my.bucket, p, eu-west-1, -, false",
                "s3://bucket.s3.amazonaws.com/p, bucket, p, -, -, false",
                "s3://bucket.nyc3.digitaloceanspaces.com/p, bucket, p, nyc3, https://nyc3.digitaloceanspaces.com, false",
                "s3://bucket.s3.us-west-004.backblazeb2.com/p, bucket, p, us-west-004,"
                        + " https://s3.us-west-004.backblazeb2.com, true",
                "s3://bucket.s3.fr-par.scw.cloud/p, bucket, p, fr-par, https://s3.fr-par.scw.cloud, true",
                "s3://bucket.fsn1.your-objectstorage.com/p, bucket, p, fsn1, https://fsn1.your-objectstorage.com, true",
                "s3://bucket.s3.filebase.com/p, bucket, p, us-east-1, https://s3.filebase.com, true",
                "s3://bucket.fly.storage.tigris.dev/p, bucket, p, auto, https://fly.storage.tigris.dev, false",
                "s3://bucket.localhost:9000/p, bucket, p, us-east-1, http://localhost:9000, true",
                "s3://bucket/p?endpoint=localhost:9000, bucket, p, us-east-1, http://localhost:9000, true",
                "s3://bucket/p?endpoint=minio:9000, bucket, p, us-east-1, https://minio:9000, true",
                "s3://bucket/p?endpoint=http://minio:9000, bucket, p, us-east-1, http://minio:9000, true",
                "s3://bucket/p?endpoint=https://minio.example.com:9000, bucket, p, us-east-1,"
                        + " https://minio.example.com:9000, true",
                "s3://bucket/p?endpoint=minio.example.com&forcePathStyle=false, bucket, p, us-east-1,"
                        + " https://minio.example.com, false",
                "s3://bucket/p?endpoint=account.r2.cloudflarestorage.com, bucket, p, auto,"
                        + " https://account.r2.cloudflarestorage.com, true",
                "s3://bucket/p?endpoint=https://storage.googleapis.com, bucket, p, auto, https://storage.googleapis.com,"
                        + " true",
                "s3://bucket/p?endpoint=https://ref.supabase.co/storage/v1/s3&region=eu-west-2, bucket, p, eu-west-2,"
                        + " https://ref.supabase.co/storage/v1/s3, true",
                "s3://bucket/p?endpoint=https://s3.eu-west-3.amazonaws.com, bucket, p, eu-west-3,"
                        + " https://s3.eu-west-3.amazonaws.com, false",
                "s3://bucket/p?endpoint=https://t3.storage.dev, bucket, p, auto, https://t3.storage.dev, false",
                "s3://arn:aws:s3:us-east-2:123456789012:accesspoint/point/a/b?partSize=6MB,"
                        + " arn:aws:s3:us-east-2:123456789012:accesspoint/point, a/b, us-east-2, -, false",
                "s3://arn:aws:s3:us-east-2:123456789012:accesspoint/point,"
                        + " arn:aws:s3:us-east-2:123456789012:accesspoint/point, '', us-east-2, -, false",
            })
    void parse_url_isTakenApart(
            String url,
            String bucket,
            String prefix,
            @Nullable String region,
            @Nullable String endpoint,
            boolean pathStyle) {
        S3Settings settings = parse(url);
        assertThat(settings.bucket()).isEqualTo(bucket);
        assertThat(settings.prefix()).isEqualTo(prefix);
        assertThat(settings.region()).isEqualTo(region);
        assertThat(settings.endpoint() == null ? null : settings.endpoint().toString())
                .isEqualTo(endpoint);
        assertThat(settings.pathStyle()).isEqualTo(pathStyle);
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#objects")
    void parse_path_namesWhatLitestreamNames(String path, String prefix) {
        assertThat(parse("s3://bucket" + path).prefix()).isEqualTo(prefix);
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#paths")
    void parse_settingPath_isTakenAsItIs(String path, String prefix) {
        assertThat(parse("s3://bucket/other", Map.of("path", path + "\n")).prefix())
                .isEqualTo(prefix);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3://bucket/a#b",
                "s3://bucket/a?region=us-east-1#b",
                "s3://bucket/a?path=b",
                "s3://bucket/%ff",
                "s3://bucket/a%",
                "s3://b/a?bucket=c"
            })
    void parse_unclearUrl_isRefused(String url) {
        assertThatThrownBy(() -> parse(url)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Plain HTTP, where nobody wrote it, for addresses of this machine and of private networks only. */
    @ParameterizedTest
    @CsvSource({
        "localhost:9000, http",
        "127.0.0.1:9000, http",
        "[::1]:9000, http",
        "10.1.2.3:9000, http",
        "172.16.0.9, http",
        "172.31.255.1:80, http",
        "192.168.178.5:9000, http",
        "[fd00::1]:9000, http",
        "10.example.com, https",
        "127.example.com:9000, https",
        "192.168.example.com, https",
        "172.16.example.org:9000, https",
        "172.32.0.1, https",
        "8.8.8.8:9000, https",
        "minio:9000, https",
        "nas.local:9000, https",
        "localhost.example.com, https",
    })
    void schemeOfAnEndpointWithout_dependsOnTheAddress(String endpoint, String scheme) {
        assertThat(parse("s3://bucket/p?endpoint=" + endpoint).endpoint()).hasScheme(scheme);
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket.store.example.com:9000/p, https://store.example.com:9000",
        "s3://bucket.10.example.com:9000/p, https://10.example.com:9000",
        "s3://bucket.10.0.0.5:9000/p, http://10.0.0.5:9000",
    })
    void schemeOfAHostWithPort_dependsOnTheAddress(String url, String endpoint) {
        assertThat(parse(url).endpoint()).hasToString(endpoint);
    }

    @Test
    void customersKey_isNotSentInClear() {
        String key = "sse-customer-key=" + "A".repeat(43) + "%3D";
        for (String endpoint : new String[] {"http://store.example.com", "http://10.0.0.5:9000", "192.168.1.2:9000"}) {
            assertThatThrownBy(() -> parse("s3://bucket/p?region=r&endpoint=" + endpoint + "&" + key))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("in clear")
                    .hasMessageContaining("https://")
                    .hasMessageNotContaining("AAAA");
        }
        for (String endpoint : new String[] {"https://store.example.com", "http://localhost:9000", "127.0.0.1:9000"}) {
            assertThat(parse("s3://bucket/p?region=r&endpoint=" + endpoint + "&" + key)
                            .encryption()
                            .byCustomerKey())
                    .isTrue();
        }
    }

    @Test
    void parse_bucketOnly_hasDefaults() {
        S3Settings settings = parse("s3://bucket/path");
        assertThat(settings.partSize()).isEqualTo(5 << 20);
        assertThat(settings.concurrency()).isEqualTo(3);
        assertThat(settings.signPayload()).isTrue();
        assertThat(settings.skipVerify()).isFalse();
        assertThat(settings.conditionalWrites()).isEqualTo(ConditionalWrites.AUTO);
        assertThat(settings.keys()).isNull();
        assertThat(settings.encryption()).isEqualTo(S3Encryption.NONE);
        assertThat(settings.url()).isEqualTo("s3://bucket/path");
    }

    @ParameterizedTest
    @CsvSource({
        "https://s3.eu-west-1.amazonaws.com, 3, false",
        "https://a.r2.cloudflarestorage.com, 2, true",
        "https://t3.storage.dev, 3, false",
        "https://minio.example.com, 3, true",
    })
    void parse_vendor_hasItsDefaults(String endpoint, int concurrency, boolean contentMd5) {
        S3Settings settings = parse("s3://bucket/path?endpoint=" + endpoint);
        assertThat(settings.concurrency()).isEqualTo(concurrency);
        assertThat(settings.contentMd5()).isEqualTo(contentMd5);
        S3Settings own =
                parse("s3://bucket/path?concurrency=9&requireContentMD5=" + !contentMd5 + "&endpoint=" + endpoint);
        assertThat(own.concurrency()).isEqualTo(9);
        assertThat(own.contentMd5()).isEqualTo(!contentMd5);
    }

    @Test
    void parse_litestreamAndKebabNames_areTheSame() {
        S3Settings camel =
                parse("s3://bucket/p?endpoint=store.example.com&region=r-1&forcePathStyle=false&skipVerify=true"
                        + "&signPayload=0&requireContentMD5=false&partSize=8MiB&concurrency=4&storageClass=STANDARD_IA"
                        + "&sseKmsKeyId=key&conditionalWrites=off&accessKeyId=id&secretAccessKey=s&sessionToken=t");
        S3Settings kebab = parse(
                "s3://bucket/p",
                Map.ofEntries(
                        Map.entry("endpoint", "store.example.com"),
                        Map.entry("region", "r-1"),
                        Map.entry("force-path-style", "false"),
                        Map.entry("skip-verify", "true"),
                        Map.entry("sign-payload", "no"),
                        Map.entry("require-content-md5", "false"),
                        Map.entry("part-size", "8388608"),
                        Map.entry("concurrency", "4"),
                        Map.entry("storage-class", "STANDARD_IA"),
                        Map.entry("sse-kms-key-id", "key"),
                        Map.entry("conditional-writes", "off"),
                        Map.entry("access-key-id", "id"),
                        Map.entry("secret-access-key", "s"),
                        Map.entry("session-token", "t")));
        assertThat(camel).isEqualTo(kebab);
        assertThat(camel.partSize()).isEqualTo(8 << 20);
        assertThat(camel.signPayload()).isFalse();
    }

    /** Those of Litestream 0.5, in both of its spellings. */
    @Test
    void parse_parametersOfLitestream_areAllKnown() throws Exception {
        String md5 = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("MD5")
                        .digest(Base64.getDecoder().decode(KEY)))
                .replace("+", "%2B");
        S3Settings camel = parse("s3://bucket/p?endpoint=https://store.example.com&region=r-1&forcePathStyle=true"
                + "&skipVerify=true&signPayload=true&requireContentMD5=true&concurrency=4&partSize=6MB"
                + "&storageClass=STANDARD_IA&sseCustomerAlgorithm=AES256&sseCustomerKey=" + KEY + "&sseCustomerKeyMD5="
                + md5);
        S3Settings kebab = parse("s3://bucket/p?endpoint=https://store.example.com&region=r-1&force-path-style=true"
                + "&skip-verify=true&sign-payload=true&require-content-md5=true&concurrency=4&part-size=6MB"
                + "&storage-class=STANDARD_IA&sse-customer-algorithm=AES256&sse-customer-key=" + KEY
                + "&sse-customer-key-md5=" + md5);
        assertThat(camel).isEqualTo(kebab);
        assertThat(camel.encryption().customerKey()).isEqualTo(new Secret(KEY));
        assertThat(parse("s3://bucket/p?sseKmsKeyId=key").encryption().kmsKeyId())
                .isEqualTo("key");
        assertThat(parse("s3://bucket/p?sse-kms-key-id=key").encryption().kmsKeyId())
                .isEqualTo("key");
    }

    @Test
    void parse_settingAndParameter_settingWins() {
        S3Settings settings = parse(
                "s3://bucket/path?region=one&part-size=6MB",
                Map.of("region", "two", "bucket", "other", "path", "/else/where/", "part-size", "7M"));
        assertThat(settings.region()).isEqualTo("two");
        assertThat(settings.url()).isEqualTo("s3://other//else/where/");
        assertThat(settings.partSize()).isEqualTo(7 << 20);
    }

    @ParameterizedTest
    @CsvSource({
        "5242880, 5242880",
        "5242880.9, 5242880",
        "7.5MiB, 7864320",
        "7.5 mb, 7864320",
        "0.25G, 268435456",
        "1GiB, 1073741824"
    })
    void parse_size_isInBytesOrHasAUnitOf1024(String size, int bytes) {
        assertThat(parse("s3://bucket/path", Map.of("part-size", size)).partSize())
                .isEqualTo(bytes);
    }

    @Test
    void parse_bucketInTheSettingsOnly_works() {
        assertThat(parse("s3://", Map.of("bucket", "bucket")).prefix()).isEmpty();
        assertThat(parse("s3://", Map.of("bucket", "bucket", "path", "p")).url())
                .isEqualTo("s3://bucket/p");
        assertThat(parse("s3://bucket", Map.of("region", " ")).region()).isNull(); // an empty placeholder
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3:///path",
                "s3://b/path",
                "s3://bucket/path?partSize=1MiB",
                "s3://bucket/path?partSize=2GiB",
                "s3://bucket/path?partSize=1.01GiB",
                "s3://bucket/path?partSize=4.99MiB",
                "s3://bucket/path?partSize=7.MiB",
                "s3://bucket/path?partSize=99999999999999999999",
                "s3://bucket/path?partSize=many",
                "s3://bucket/path?concurrency=0",
                "s3://bucket/path?concurrency=-1",
                "s3://bucket/path?concurrency=65",
                "s3://bucket/path?forcePathStyle=maybe",
                "s3://bucket/path?conditionalWrites=perhaps",
                "s3://bucket/path?noSuchSetting=1",
                "s3://bucket/path?accessKeyId=id",
                "s3://bucket/path?sessionToken=topsecret",
                "s3://bucket/path?sseCustomerKey=topsecret",
                "s3://bucket/path?sseCustomerKeyMD5=Kng3d5Bbl7kk7lyYzZiiWQ==",
                "s3://bucket/path?sseCustomerKeyMD5=AAAA&sseCustomerKey=" + KEY,
                "s3://bucket/path?sseCustomerAlgorithm=DES",
                "s3://bucket/path?sseCustomerAlgorithm=AES256",
                "s3://bucket/path?sseKmsKeyId=a&sseCustomerKeyPath=topsecret",
                "s3://bucket/path?endpoint=https://user:topsecret@host",
                "s3://bucket/path?endpoint=ftp://host",
                "s3://bucket/path?endpoint=https://ho st/topsecret",
                "s3://user:topsecret@bucket/path",
                "s3://bucket/path?secretAccessKey=topsecret%zz",
                "s3://bucket/path&secretAccessKey=topsecret",
                "s3://bucket/path;region=r;secret-access-key=topsecret",
                "s3://arn:aws:s3::123456789012:accesspoint/alias.mrap/path",
            })
    void parse_wrongUrl_isRefusedWithoutItsSecrets(String url) {
        assertThatThrownBy(() -> parse(url))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("S3: ")
                .hasMessageNotContaining("topsecret");
    }

    @Test
    void url_pathThatMayHoldASecret_isNotShown() {
        assertThat(parse("s3://bucket/a b/c+d").url()).isEqualTo("s3://bucket/a b/c+d");
        assertThat(parse("s3://bucket/a&other=topsecret").url()).isEqualTo("s3://bucket/a&…");
        assertThat(parse("s3://bucket", Map.of("path", "me@topsecret")).url()).isEqualTo("s3://bucket/…");
    }

    @Test
    void toString_secrets_areNotShown() {
        S3Settings settings =
                parse("s3://bucket/p?accessKeyId=topsecret&secretAccessKey=topsecret&sessionToken=topsecret"
                        + "&sseCustomerKey=" + KEY);
        assertThat(settings.toString() + settings.url() + settings.keys() + settings.encryption())
                .doesNotContain("topsecret", KEY);
        assertThat(S3Url.parse("s3://bucket/p?secretAccessKey=topsecret").toString())
                .doesNotContain("topsecret");
    }
}
