package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaAccessException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectRequest;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/** Creates requests with the common settings: bucket, storage class, encryption. Thread-safe. */
final class S3Requests {

    private static final String CONTENT_TYPE = "application/octet-stream";

    private static final String ALGORITHM = "AES256";

    /** Maximum size of a key file in bytes; keys are shorter. */
    private static final int MAX_KEY_FILE = 1024;

    /** A customer's key in the form used in requests. */
    private record CustomerKey(Secret base64, String md5) {}

    private final S3Settings settings;

    private final Clock clock;

    private volatile @Nullable CustomerKey customerKey;

    /** @param clock clock from which locks are counted */
    S3Requests(S3Settings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
    }

    /** @param range range as in the HTTP header; null for the whole object */
    GetObjectRequest get(String key, @Nullable String range) throws IOException {
        GetObjectRequest.Builder request =
                GetObjectRequest.builder().bucket(settings.bucket()).key(key).range(range);
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request.build();
    }

    HeadObjectRequest head(String key) throws IOException {
        HeadObjectRequest.Builder request =
                HeadObjectRequest.builder().bucket(settings.bucket()).key(key);
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request.build();
    }

    /** @param lock lock of the object; null for none */
    PutObjectRequest put(String key, Map<String, String> metadata, boolean onlyIfAbsent, @Nullable ObjectLock lock)
            throws IOException {
        PutObjectRequest.Builder request = PutObjectRequest.builder()
                .bucket(settings.bucket())
                .key(key)
                .contentType(CONTENT_TYPE)
                .metadata(metadata)
                .storageClass(settings.storageClass());
        if (onlyIfAbsent) {
            request.ifNoneMatch("*");
        }
        if (lock != null) {
            request.objectLockMode(lock.mode().sdk())
                    .objectLockRetainUntilDate(clock.instant().plus(lock.retain()));
        }
        if (settings.encryption().kmsKeyId() != null) {
            request.serverSideEncryption(ServerSideEncryption.AWS_KMS)
                    .ssekmsKeyId(settings.encryption().kmsKeyId());
        }
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request.build();
    }

    CreateMultipartUploadRequest create(String key, Map<String, String> metadata) throws IOException {
        CreateMultipartUploadRequest.Builder request = CreateMultipartUploadRequest.builder()
                .bucket(settings.bucket())
                .key(key)
                .contentType(CONTENT_TYPE)
                .metadata(metadata)
                .storageClass(settings.storageClass());
        ObjectLock lock = settings.objectLock();
        if (lock != null) {
            request.objectLockMode(lock.mode().sdk())
                    .objectLockRetainUntilDate(clock.instant().plus(lock.retain()));
        }
        if (settings.encryption().kmsKeyId() != null) {
            request.serverSideEncryption(ServerSideEncryption.AWS_KMS)
                    .ssekmsKeyId(settings.encryption().kmsKeyId());
        }
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request.build();
    }

    UploadPartRequest part(String key, String uploadId, int number) throws IOException {
        UploadPartRequest.Builder request = UploadPartRequest.builder()
                .bucket(settings.bucket())
                .key(key)
                .uploadId(uploadId)
                .partNumber(number);
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request.build();
    }

    CompleteMultipartUploadRequest.Builder complete(String key, String uploadId, boolean onlyIfAbsent)
            throws IOException {
        CompleteMultipartUploadRequest.Builder request = CompleteMultipartUploadRequest.builder()
                .bucket(settings.bucket())
                .key(key)
                .uploadId(uploadId);
        if (onlyIfAbsent) {
            request.ifNoneMatch("*");
        }
        encrypt(request::sseCustomerAlgorithm, request::sseCustomerKey, request::sseCustomerKeyMD5);
        return request;
    }

    /** Adds the customer's key, if there is one. The SDK's requests have no common type for these fields. */
    private void encrypt(Consumer<String> algorithm, Consumer<String> key, Consumer<String> md5) throws IOException {
        CustomerKey secret = customerKey();
        if (secret != null) {
            algorithm.accept(ALGORITHM);
            key.accept(secret.base64().value());
            md5.accept(secret.md5());
        }
    }

    static RequestBody body(PartBuffer content) {
        return RequestBody.fromContentProvider(content::open, content.size(), CONTENT_TYPE);
    }

    /** Returns the customer's key. Reads it on first use: creating a client reads no file. */
    private @Nullable CustomerKey customerKey() throws IOException {
        S3Encryption encryption = settings.encryption();
        if (!encryption.byCustomerKey()) {
            return null;
        }
        CustomerKey key = customerKey;
        if (key == null) {
            Secret base64 = encryption.customerKey() != null ? encryption.customerKey() : readKeyFile();
            key = new CustomerKey(base64, customerKeyMd5(base64.value()));
            customerKey = key;
        }
        return key;
    }

    private Secret readKeyFile() throws IOException {
        String path = requireNonNull(settings.encryption().customerKeyPath());
        byte[] content;
        try (InputStream in = Files.newInputStream(Path.of(path))) {
            content = in.readNBytes(MAX_KEY_FILE);
        } catch (IOException | InvalidPathException e) {
            throw unusable(path, e.getClass().getSimpleName(), e);
        }
        String text = content.length == 32
                ? Base64.getEncoder().encodeToString(content)
                : new String(content, StandardCharsets.US_ASCII).strip();
        Arrays.fill(content, (byte) 0);
        if (!S3SettingsParser.isCustomerKey(text)) {
            throw unusable(path, "it holds neither 32 bytes nor their base64", null);
        }
        return new Secret(text);
    }

    private ReplicaAccessException unusable(String path, String why, @Nullable Exception cause) {
        String shown = Redaction.file(path); // may be the key itself, also in the cause
        return new ReplicaAccessException(
                settings.url(),
                "cannot use the key file " + shown + ": " + why,
                "correct sse-customer-key-path",
                shown.equals(path) ? cause : null);
    }

    /** Returns the MD5 digest of a key, in base64 like the key. */
    static String customerKeyMd5(String base64) {
        try {
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("MD5")
                            .digest(Base64.getDecoder().decode(base64)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }
}
