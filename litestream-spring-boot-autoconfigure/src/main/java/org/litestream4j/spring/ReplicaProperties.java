package org.litestream4j.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Where a replica is and how to reach it: {@code litestream.replica.*}. A setting beats the parameter of the same name in
 * the URL.
 *
 * @param url Address of the replica, for example "file:///var/backups/app" or "s3://bucket/path".
 * @param s3 Settings of an S3 replica.
 * @param nats Settings of a NATS replica.
 */
public record ReplicaProperties(@Nullable String url, @DefaultValue S3 s3, @DefaultValue Nats nats) {

    /** The settings of the backend that serves a URL scheme, by the core's names. */
    Map<String, String> settings(String scheme) {
        return switch (scheme) {
            case "s3" -> settings((Record) s3);
            case "nats" -> settings((Record) nats);
            default -> Map.of();
        };
    }

    private static Map<String, String> settings(Record backend) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (RecordComponent component : backend.getClass().getRecordComponents()) {
            Object value = value(backend, component);
            if (value != null) {
                settings.put(kebabCase(component.getName()), text(value));
            }
        }
        return settings;
    }

    private static @Nullable Object value(Record backend, RecordComponent component) {
        try {
            return component.getAccessor().invoke(backend);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(e); // public accessors that only return
        }
    }

    private static String kebabCase(String name) {
        return name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String text(Object value) {
        if (value instanceof DataSize size) {
            return Long.toString(size.toBytes());
        }
        if (value instanceof Collection<?> items) {
            return items.stream().map(Object::toString).collect(Collectors.joining(","));
        }
        return value.toString(); // durations in ISO 8601
    }

    /** The URL may hold a password. */
    @Override
    public String toString() {
        return "ReplicaProperties";
    }

    /**
     * Settings of an S3 replica; all are optional.
     *
     * @param bucket Name of the bucket, or the ARN of an access point; beats the URL's.
     * @param path Prefix of all keys; beats the URL's.
     * @param region Region of the bucket; looked up where it is not set.
     * @param endpoint Address of a store other than AWS, for example "https://minio.example.org:9000".
     * @param forcePathStyle Whether the bucket stands in the path instead of the host name.
     * @param accessKeyId Access key; without it the AWS SDK's default chain finds credentials.
     * @param secretAccessKey Secret of the access key.
     * @param sessionToken Token of temporary credentials.
     * @param storageClass Storage class of what is written, for example "STANDARD_IA".
     * @param sseCustomerAlgorithm Algorithm of the customer's own key; only "AES256".
     * @param sseCustomerKey Customer's own key, 32 bytes in base64.
     * @param sseCustomerKeyPath File that holds the customer's own key.
     * @param sseKmsKeyId Key of AWS KMS that encrypts what is written.
     * @param partSize Size of the parts of large files.
     * @param concurrency How many parts are uploaded at once.
     * @param skipVerify Whether the server's certificate is not verified.
     * @param signPayload Whether the content is part of the signature.
     * @param requireContentMd5 Whether deletes carry an MD5 of their content.
     * @param conditionalWrites Whether the store can refuse to overwrite: "auto" finds out, "on", "off".
     */
    public record S3(
            @Nullable String bucket,
            @Nullable String path,
            @Nullable String region,
            @Nullable String endpoint,
            @Nullable Boolean forcePathStyle,
            @Nullable String accessKeyId,
            @Nullable String secretAccessKey,
            @Nullable String sessionToken,
            @Nullable String storageClass,
            @Nullable String sseCustomerAlgorithm,
            @Nullable String sseCustomerKey,
            @Nullable String sseCustomerKeyPath,
            @Nullable String sseKmsKeyId,
            @Nullable DataSize partSize,
            @Nullable Integer concurrency,
            @Nullable Boolean skipVerify,
            @Nullable Boolean signPayload,
            @Nullable Boolean requireContentMd5,
            @Nullable String conditionalWrites) {

        /** Secrets are not shown. */
        @Override
        public String toString() {
            return "S3";
        }
    }

    /**
     * Settings of a NATS replica; all are optional.
     *
     * @param urls Addresses of the servers; beat the URL's.
     * @param bucket Name of the object store; must be the URL's if both are set.
     * @param path Prefix of all object names; beats the URL's.
     * @param username User name.
     * @param password Password of the user.
     * @param token Token to log in with.
     * @param nkey Public key of the user.
     * @param jwt JWT of the user.
     * @param seed Seed of the user's key.
     * @param creds Credentials file.
     * @param tls Whether the connection must be encrypted.
     * @param rootCas Files with the certificates that servers are verified by.
     * @param clientCert File with the client's certificate.
     * @param clientKey File with the client's key.
     * @param maxReconnects How often one server is tried again; -1 for always.
     * @param reconnectWait Pause before a server is tried again.
     * @param reconnectJitter Random part of that pause.
     * @param timeout Longest wait for an answer.
     * @param pingInterval Pause between two pings.
     * @param maxPingsOut Pings without an answer after which a connection counts as lost.
     * @param createBucket Whether a missing object store is created.
     * @param storage Storage of a created one: "file" or "memory".
     * @param replicas Copies of a created one, 1 to 5.
     * @param maxBytes Size limit of a created one.
     */
    public record Nats(
            @Nullable List<String> urls,
            @Nullable String bucket,
            @Nullable String path,
            @Nullable String username,
            @Nullable String password,
            @Nullable String token,
            @Nullable String nkey,
            @Nullable String jwt,
            @Nullable String seed,
            @Nullable String creds,
            @Nullable Boolean tls,
            @Nullable List<String> rootCas,
            @Nullable String clientCert,
            @Nullable String clientKey,
            @Nullable Integer maxReconnects,
            @Nullable Duration reconnectWait,
            @Nullable Duration reconnectJitter,
            @Nullable Duration timeout,
            @Nullable Duration pingInterval,
            @Nullable Integer maxPingsOut,
            @Nullable Boolean createBucket,
            @Nullable String storage,
            @Nullable Integer replicas,
            @Nullable DataSize maxBytes) {

        /** Secrets are not shown. */
        @Override
        public String toString() {
            return "Nats";
        }
    }
}
