package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.replica.s3.S3TestClients.bytes;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.ReplicaLocation;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

/** What goes to each store with nothing set but its address: host, path, region, signature, digests. */
class S3VendorTest {

    private static final String POINT = "arn:aws:s3:us-east-2:123456789012:accesspoint/point";

    private final Recorder recorder = new Recorder();

    /** Answers every request, and sends none. */
    private static final class Recorder implements SdkHttpClient {

        private final List<SdkHttpRequest> requests = new ArrayList<>();

        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest execute) {
            requests.add(execute.httpRequest());
            boolean list = execute.httpRequest().method() == SdkHttpMethod.POST;
            byte[] body = (list ? "<DeleteResult></DeleteResult>" : "").getBytes(StandardCharsets.UTF_8);
            return new ExecutableHttpRequest() {
                @Override
                public HttpExecuteResponse call() throws IOException {
                    if (execute.contentStreamProvider().isPresent()) {
                        execute.contentStreamProvider().get().newStream().readAllBytes();
                    }
                    return HttpExecuteResponse.builder()
                            .response(SdkHttpResponse.builder()
                                    .statusCode(200)
                                    .putHeader("Content-Length", "" + body.length)
                                    .build())
                            .responseBody(AbortableInputStream.create(new ByteArrayInputStream(body)))
                            .build();
                }

                @Override
                public void abort() {}
            };
        }

        @Override
        public void close() {}

        private SdkHttpRequest last() {
            return requests.get(requests.size() - 1);
        }

        private String header(String name) {
            return last().firstMatchingHeader(name).orElse("");
        }

        /** Of all that are part of the signature. */
        private String signed() {
            return header("Authorization").replaceFirst(".*SignedHeaders=([^,]*),.*", "$1");
        }

        private String signedFor() {
            return header("Authorization").replaceFirst(".*Credential=id/\\d{8}/([^/]+)/s3/aws4_request.*", "$1");
        }
    }

    private static S3Settings settings(String url) {
        return S3SettingsParser.parse(
                ReplicaLocation.of(url + (url.contains("?") ? "&" : "?") + "accessKeyId=id&secretAccessKey=secret"));
    }

    private S3Client client(S3Settings settings) {
        String region = settings.region() == null ? "eu-north-1" : settings.region(); // as if looked up
        return S3Clients.builder(settings, region, null).httpClient(recorder).build();
    }

    private void put(S3Client client, S3Settings settings) throws IOException {
        PartBuffer content = new PartBuffer(1000);
        content.append(bytes(1000, 1), 0, 1000);
        client.putObject(
                new S3Requests(settings, Clock.systemUTC())
                        .put("p/k", S3Metadata.of(S3TestClients.TIME, java.util.OptionalLong.empty()), true, null),
                S3Requests.body(content));
    }

    private void delete(S3Client client, S3Settings settings) {
        client.deleteObjects(request -> request.bucket(settings.bucket())
                .delete(delete ->
                        delete.objects(ObjectIdentifier.builder().key("p/k").build())));
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "s3://bucket/p, https://bucket.s3.eu-north-1.amazonaws.com/p/k, eu-north-1, 3",
                "s3://bucket/p?region=eu-west-1, https://bucket.s3.eu-west-1.amazonaws.com/p/k, eu-west-1, 3",
                "s3://my.bucket/p?region=eu-west-1, https://s3.eu-west-1.amazonaws.com/my.bucket/p/k, eu-west-1, 3",
                "s3://bucket/p?region=eu-west-1&forcePathStyle=true,"
                        + " https://s3.eu-west-1.amazonaws.com/bucket/p/k, eu-west-1, 3",
                "s3://bucket/p?region=cn-north-1, https://bucket.s3.cn-north-1.amazonaws.com.cn/p/k, cn-north-1, 3",
                "s3://bucket/p?endpoint=https://s3.dualstack.eu-west-1.amazonaws.com,"
                        + " https://bucket.s3.dualstack.eu-west-1.amazonaws.com/p/k, eu-west-1, 3",
                "s3://" + POINT
                        + "/p, https://point-123456789012.s3-accesspoint.us-east-2.amazonaws.com/p/k, us-east-2, 3",
                "s3://bucket/p?endpoint=https://acc.r2.cloudflarestorage.com,"
                        + " https://acc.r2.cloudflarestorage.com/bucket/p/k, auto, 2",
                "s3://bucket/p?endpoint=https://acc.eu.r2.cloudflarestorage.com,"
                        + " https://acc.eu.r2.cloudflarestorage.com/bucket/p/k, auto, 2",
                "s3://bucket/p?endpoint=https://s3.us-west-004.backblazeb2.com,"
                        + " https://s3.us-west-004.backblazeb2.com/bucket/p/k, us-west-004, 3",
                "s3://bucket/p?endpoint=https://nyc3.digitaloceanspaces.com,"
                        + " https://bucket.nyc3.digitaloceanspaces.com/p/k, nyc3, 3",
                "s3://bucket/p?endpoint=https://s3.nl-ams.scw.cloud,"
                        + " https://s3.nl-ams.scw.cloud/bucket/p/k, nl-ams, 3",
                "s3://bucket/p?endpoint=https://fsn1.your-objectstorage.com,"
                        + " https://fsn1.your-objectstorage.com/bucket/p/k, fsn1, 3",
                "s3://bucket/p?endpoint=https://fly.storage.tigris.dev,"
                        + " https://bucket.fly.storage.tigris.dev/p/k, auto, 3",
                "s3://bucket/p?endpoint=https://t3.storage.dev, https://bucket.t3.storage.dev/p/k, auto, 3",
                "s3://bucket/p?endpoint=https://s3.filebase.com, https://s3.filebase.com/bucket/p/k, us-east-1, 3",
                "s3://bucket/p?endpoint=https://ref.supabase.co/storage/v1/s3&region=eu-west-2,"
                        + " https://ref.supabase.co/storage/v1/s3/bucket/p/k, eu-west-2, 3",
                "s3://bucket/p?endpoint=https://storage.googleapis.com,"
                        + " https://storage.googleapis.com/bucket/p/k, auto, 3",
                "s3://bucket/p?endpoint=localhost:9000, http://localhost:9000/bucket/p/k, us-east-1, 3",
                "s3://bucket/p?endpoint=minio.example.com&region=home,"
                        + " https://minio.example.com/bucket/p/k, home, 3",
            })
    void address_ofEachStore(String url, String expected, String region, int concurrency) throws Exception {
        S3Settings settings = settings(url);
        assertThat(settings.concurrency()).isEqualTo(concurrency);
        try (S3Client client = client(settings)) {
            put(client, settings);
            assertThat(recorder.last().getUri().toString()).isEqualTo(expected);
            assertThat(recorder.signedFor()).isEqualTo(region);
            assertThat(recorder.header("If-None-Match")).isEqualTo("*");
            assertThat(recorder.header("Authorization")).startsWith("AWS4-HMAC-SHA256 ");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3://bucket/p?endpoint=https://acc.r2.cloudflarestorage.com",
                "s3://bucket/p?endpoint=https://s3.us-west-004.backblazeb2.com",
                "s3://bucket/p?endpoint=https://nyc3.digitaloceanspaces.com",
                "s3://bucket/p?endpoint=https://s3.nl-ams.scw.cloud",
                "s3://bucket/p?endpoint=https://fsn1.your-objectstorage.com",
                "s3://bucket/p?endpoint=https://fly.storage.tigris.dev",
                "s3://bucket/p?endpoint=https://s3.filebase.com",
                "s3://bucket/p?endpoint=https://ref.supabase.co/storage/v1/s3",
                "s3://bucket/p?endpoint=https://storage.googleapis.com",
                "s3://bucket/p?endpoint=https://minio.example.com:9000",
                "s3://bucket/p?endpoint=http://localhost:9000",
            })
    void content_forOtherStores_isSignedAsItIs(String url) throws Exception {
        S3Settings settings = settings(url);
        try (S3Client client = client(settings)) {
            put(client, settings);
            assertThat(recorder.header("x-amz-content-sha256")).matches("[0-9a-f]{64}"); // of the body itself
            assertThat(recorder.header("Content-Length")).isEqualTo("1000");
            assertThat(recorder.last().headers().keySet())
                    .noneMatch(S3VendorTest::isChecksum)
                    .doesNotContain("Content-Encoding", "x-amz-decoded-content-length", "x-amz-trailer");
            assertThat(recorder.signed()).doesNotContain("accept-encoding", "user-agent");
            client.getObject(new S3Requests(settings, Clock.systemUTC()).get("p/k", null))
                    .close();
            assertThat(recorder.last().headers().keySet()).noneMatch(S3VendorTest::isChecksum);
            assertThat(recorder.signed()).doesNotContain("accept-encoding", "user-agent"); // Google changes the first
            delete(client, settings);
            boolean tigris = settings.vendor() == S3Vendor.TIGRIS;
            assertThat(recorder.header("Content-MD5").isEmpty()).isEqualTo(tigris);
            assertThat(recorder.header("X-Tigris-Consistent")).isEqualTo(tigris ? "true" : "");
        }
    }

    private static boolean isChecksum(String header) {
        String name = header.toLowerCase(Locale.ROOT);
        return name.startsWith("x-amz-checksum-") || name.startsWith("x-amz-sdk-checksum");
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3://bucket/p", "s3://" + POINT + "/p"})
    void content_forAmazon_carriesAChecksumThatTheStoreVerifies(String url) throws Exception {
        S3Settings settings = settings(url);
        try (S3Client client = client(settings)) {
            put(client, settings);
            assertThat(recorder.last().headers().keySet())
                    .anyMatch(name -> isChecksum(name) || name.equalsIgnoreCase("x-amz-trailer"));
            delete(client, settings);
            assertThat(recorder.last().headers().keySet()).anyMatch(S3VendorTest::isChecksum);
            assertThat(recorder.header("Content-MD5")).isEmpty();
        }
    }

    @Test
    void content_notToBeSigned_isNot() throws Exception {
        S3Settings settings = settings("s3://bucket/p?endpoint=https://minio.example.com&signPayload=false");
        try (S3Client client = client(settings)) {
            put(client, settings);
            assertThat(recorder.header("x-amz-content-sha256")).isEqualTo("UNSIGNED-PAYLOAD");
        }
    }

    @Test
    void credentials_temporary_sendTheirToken() throws Exception {
        S3Settings settings = settings("s3://bucket/p?sessionToken=token");
        try (S3Client client = client(settings)) {
            put(client, settings);
            assertThat(recorder.header("x-amz-security-token")).isEqualTo("token");
            assertThat(recorder.signed()).contains("x-amz-security-token");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "https://s3.eu-west-1.amazonaws.com, AWS",
        "https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com, AWS",
        "https://s3.cn-north-1.amazonaws.com.cn, AWS",
        "https://storage.googleapis.com, GOOGLE",
        "https://storage.us-central1.rep.googleapis.com, GOOGLE",
        "https://storage.mtls.googleapis.com, GOOGLE",
        "https://us-central1-storage.googleapis.com, GOOGLE",
        "https://storage.googleapis.com.example.org, OTHER",
        "https://s3.amazonaws.com.example.org, OTHER",
        "https://r2.cloudflarestorage.com.example.org, OTHER",
        "https://s3.filebase.io, FILEBASE",
        "https://s3.wasabisys.com, OTHER",
    })
    void vendor_byHost(String endpoint, S3Vendor vendor) {
        S3Settings settings = settings("s3://bucket/p?region=r&endpoint=" + endpoint);
        assertThat(settings.vendor()).isEqualTo(vendor);
        assertThat(vendor.bulkDelete()).isEqualTo(vendor != S3Vendor.GOOGLE);
        assertThat(vendor.refusesTakenNames()).isEqualTo(vendor == S3Vendor.AWS);
    }
}
