package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** What goes over the wire, seen by a store that says yes to everything but a name that is taken. */
class S3WireTest {

    private static final byte[] KEY = "0123456789abcdef0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private static final String KEY_BASE64 = Base64.getEncoder().encodeToString(KEY);

    private FaultProxy store;

    private final Set<String> written = ConcurrentHashMap.newKeySet();

    @TempDir
    Path folder;

    @BeforeEach
    void open() throws Exception {
        store = new FaultProxy(0);
        store.faults = request -> {
            if (request.target().contains("?uploads")) {
                return new Fault.Answer(
                        200,
                        "",
                        "<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>");
            }
            if (request.method().equals("POST") && request.target().contains("uploadId=")) {
                return new Fault.Answer(
                        200, "", "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
            }
            if (request.method().equals("POST")) {
                return new Fault.Answer(200, "", "<DeleteResult></DeleteResult>");
            }
            String key = request.target().replaceFirst("\\?.*", "");
            if (request.method().equals("GET") && !written.contains(key)) {
                return FaultProxy.error(404, "NoSuchKey");
            }
            boolean whole = request.method().equals("PUT") && !request.target().contains("uploadId=");
            if (whole && !written.add(key)) {
                return FaultProxy.error(412, "PreconditionFailed");
            }
            return new Fault.Answer(200, "ETag: \"e\"\r\n", "");
        };
    }

    @AfterEach
    void close() throws Exception {
        store.close();
    }

    private ReplicaClient client(String url, String parameters) {
        return S3TestClients.open(
                ReplicaLocation.of(url + "?endpoint=127.0.0.1:" + store.port()
                        + "&accessKeyId=id&secretAccessKey=secret&sessionToken=token" + parameters),
                RequestListener.NONE);
    }

    private List<Seen> putSmallAndLarge(String parameters) throws Exception {
        try (ReplicaClient client = client("s3://bucket/path", parameters)) {
            put(client, 0, name(1), bytes(100, 1));
            put(client, 9, name(1), bytes(6 << 20, 1));
        }
        // a look, the file, the same again; create, a look for what killed uploads left, two parts, a look, complete
        assertThat(store.seen)
                .extracting(Seen::method)
                .containsExactly("GET", "PUT", "PUT", "POST", "GET", "PUT", "PUT", "GET", "POST");
        return List.of(store.seen.get(1), store.seen.get(3), store.seen.get(5), store.seen.get(6), store.seen.get(8));
    }

    @Test
    void put_defaults_areConditionalAndPlain() throws Exception {
        List<Seen> seen = putSmallAndLarge("");
        Seen put = seen.get(0);
        assertThat(put.target()).isEqualTo("/bucket/path/0000/0000000000000001-0000000000000001.ltx");
        assertThat(put.header("if-none-match")).isEqualTo("*");
        assertThat(put.header("content-type")).isEqualTo("application/octet-stream");
        assertThat(put.header("content-length")).isEqualTo("100");
        assertThat(put.header("content-encoding")).isEmpty();
        assertThat(put.header("x-amz-meta-litestream-timestamp")).isEqualTo("2026-11-24T02:41:33.91Z");
        assertThat(put.header("x-amz-content-sha256")).hasSize(64);
        assertThat(put.header("x-amz-security-token")).isEqualTo("token");
        assertThat(put.header("user-agent")).startsWith("litestream4j");
        assertThat(put.header("x-amz-storage-class")).isEmpty();
        assertThat(seen.get(1).header("x-amz-meta-litestream-timestamp")).isEqualTo("2026-11-24T02:41:33.91Z");
        assertThat(seen.get(1).header("content-type")).isEqualTo("application/octet-stream");
        assertThat(seen.get(4).header("if-none-match")).isEqualTo("*");
        assertThat(seen.subList(1, 4))
                .allMatch(request -> request.header("if-none-match").isEmpty());
    }

    @Test
    void put_storageClassAndKms_areAskedForOnce() throws Exception {
        List<Seen> seen = putSmallAndLarge("&storageClass=STANDARD_IA&sseKmsKeyId=key-1");
        for (Seen request : List.of(seen.get(0), seen.get(1))) {
            assertThat(request.header("x-amz-storage-class")).isEqualTo("STANDARD_IA");
            assertThat(request.header("x-amz-server-side-encryption")).isEqualTo("aws:kms");
            assertThat(request.header("x-amz-server-side-encryption-aws-kms-key-id"))
                    .isEqualTo("key-1");
        }
    }

    @Test
    void sse_customerKey_isSentWithEachRequest() throws Exception {
        checkCustomerKey("&sseCustomerKey=" + KEY_BASE64);
    }

    @Test
    void sse_keyFileInBase64OrPlain_isTheSame() throws Exception {
        Path base64 = Files.writeString(folder.resolve("base64"), KEY_BASE64 + "\n");
        checkCustomerKey("&sseCustomerKeyPath=" + base64);
        store.seen.clear();
        written.clear();
        Path plain = Files.write(folder.resolve("plain"), KEY);
        checkCustomerKey("&sseCustomerAlgorithm=AES256&sseCustomerKeyPath=" + plain);
    }

    private void checkCustomerKey(String parameters) throws Exception {
        putSmallAndLarge(parameters);
        try (ReplicaClient client = client("s3://bucket/path", parameters)) {
            S3TestClients.read(client, 0, name(1));
        }
        String md5 = Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("MD5").digest(KEY));
        List<Seen> ofFiles = store.seen.stream()
                .filter(request ->
                        !(request.method().equals("GET") && request.target().contains("uploads")))
                .toList();
        assertThat(ofFiles).hasSize(9).allSatisfy(request -> {
            assertThat(request.header("x-amz-server-side-encryption-customer-algorithm"))
                    .isEqualTo("AES256");
            assertThat(request.header("x-amz-server-side-encryption-customer-key"))
                    .isEqualTo(KEY_BASE64);
            assertThat(request.header("x-amz-server-side-encryption-customer-key-md5"))
                    .isEqualTo(md5);
        });
    }

    @Test
    void sse_unusableKeyFile_saysWhichAndWhy() throws Exception {
        Path bad = Files.writeString(folder.resolve("bad"), "topsecret");
        for (Path file : List.of(bad, folder.resolve("none"))) {
            try (ReplicaClient client = client("s3://bucket/path", "&sseCustomerKeyPath=" + file)) {
                assertThatThrownBy(() -> put(client, 0, name(1), bytes(1, 1)))
                        .isInstanceOf(ReplicaAccessException.class)
                        .hasMessageContaining(file.toString())
                        .hasMessageNotContaining("topsecret");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void delete_contentMd5_asSet(boolean required) throws Exception {
        try (ReplicaClient client = client("s3://bucket/path", "&requireContentMd5=" + required)) {
            client.delete(0, List.of(name(1), name(2)));
        }
        assertThat(store.seen.get(0).method()).isEqualTo("POST");
        assertThat(store.seen.get(0).header("content-md5").isEmpty()).isEqualTo(!required);
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/path, /bucket/path/0000/",
        "s3://bucket/, /bucket/%2F0000/",
        "s3://bucket, /bucket/./0000/",
        "s3://bucket/a%20b+c, /bucket/a%20b%2Bc/0000/",
    })
    void key_path_isKept(String url, String expected) throws Exception {
        try (ReplicaClient client = client(url, "")) {
            put(client, 0, name(1), bytes(100, 1));
        }
        assertThat(store.seen.get(0).target()).startsWith(expected);
    }
}
