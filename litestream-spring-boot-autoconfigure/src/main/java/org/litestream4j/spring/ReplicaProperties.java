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
 * @param url Where the application's database is replicated to, for example "file:///var/backups/app" or "s3://bucket/path".
 * @param failFast What a replica that refuses (a missing bucket, wrong credentials) means for the start. "auto": a database that exists
 *     starts all the same, with health "DOWN"; a missing one fails the start. "always": the start fails.
 * @param s3 Settings of an S3 replica.
 * @param nats Settings of a NATS replica.
 */
public record ReplicaProperties(
        @Nullable String url, @Nullable FailFast failFast, @DefaultValue S3 s3, @DefaultValue Nats nats) {

    /** When a replica that refuses fails the start. */
    public enum FailFast {
        /** Where the database is missing: it may have to be restored. */
        AUTO,
        /** In any case. */
        ALWAYS
    }

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

    static String kebabCase(String name) {
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
     * @param forcePathStyle Whether the bucket stands in the path instead of the host name; by default what the provider wants.
     * @param accessKeyId Access key; without it the AWS SDK's default chain finds credentials.
     * @param secretAccessKey Secret of the access key.
     * @param sessionToken Token of temporary credentials.
     * @param storageClass Storage class of what is written, for example "STANDARD_IA"; by default the bucket's.
     * @param sseCustomerAlgorithm Algorithm of the customer's own key; there is only one.
     * @param sseCustomerKey Customer's own key, 32 bytes in base64; who loses it loses the backup.
     * @param sseCustomerKeyMd5 MD5 of "sse-customer-key" in base64, as in Litestream's settings; not needed.
     * @param sseCustomerKeyPath File that holds the customer's own key, in base64 or as 32 plain bytes.
     * @param sseKmsKeyId Key of AWS KMS that encrypts what is written: id or ARN.
     * @param partSize Size of the parts of large files, 5MB to 1GB; files up to this size are one request.
     * @param concurrency How many parts are uploaded at once, 1 to 64; by default 3, with Cloudflare R2 2.
     * @param skipVerify Whether any certificate of the server is accepted; for tests.
     * @param signPayload Whether the content is part of the signature; "false" only over HTTPS.
     * @param requireContentMd5 Whether deletes carry an MD5 of their content; by default what the provider wants.
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
            @Nullable String sseCustomerKeyMd5,
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
     * @param urls Addresses of the servers: "host", "host:port", "nats://host:port" or "tls://host:port"; beat the URL's.
     * @param bucket Name of the object store; must be the URL's if both are set.
     * @param path Prefix of all object names; beats the URL's.
     * @param username User name.
     * @param password Password of the user.
     * @param token Token to log in with.
     * @param nkey Seed of the user's key pair ("SU…"), where the server knows its public key.
     * @param jwt JWT of the user; needs the seed.
     * @param seed Seed of the key pair of the JWT.
     * @param creds Credentials file; read again at each connect.
     * @param tls Whether the connection must be encrypted; certificates, a client key and "tls://" demand it, too.
     * @param rootCas PEM files with the authorities that may sign the server's certificate; by default the JVM's.
     * @param clientCert PEM file with the client's certificate.
     * @param clientKey PEM file with the client's key, in PKCS#8 without a password.
     * @param maxReconnects Failed attempts in a row after which a call stops waiting for the connection; with "-1" it waits up
     *     to 5s.
     * @param reconnectWait Pause between two attempts to replace a broken connection.
     * @param reconnectJitter Up to which a random time is added to that pause.
     * @param timeout Longest wait for a connection, and for an answer.
     * @param pingInterval Pause between two pings.
     * @param maxPingsOut Pings without an answer after which a connection counts as lost.
     * @param createBucket Whether a missing object store is created; one that exists is left as it is.
     * @param storage Storage of a created one: "file" or "memory".
     * @param replicas Copies of a created one, 1 to 5.
     * @param maxBytes Size limit of a created one, all files together; "-1" for none.
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
