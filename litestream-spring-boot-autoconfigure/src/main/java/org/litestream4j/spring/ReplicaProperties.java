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
 * Location of a replica and access to it: {@code litestream.replica.*}. A setting overrides the parameter of the same name
 * in the URL.
 *
 * @param url URL of the replica, for example "file:///var/backups/app" or "s3://bucket/path".
 * @param failFast Whether startup fails if the replica refuses access (a missing bucket, wrong credentials). "auto": only if
 *     the database is missing. If it exists, the application starts, with health "DOWN". "always": in both cases.
 * @param s3 Settings of an S3 replica.
 * @param nats Settings of a NATS replica.
 */
public record ReplicaProperties(
        @Nullable String url, @Nullable FailFast failFast, @DefaultValue S3 s3, @DefaultValue Nats nats) {

    /** When a replica that refuses access fails startup. */
    public enum FailFast {
        /** If the database is missing, because it may have to be restored. */
        AUTO,
        /** Always. */
        ALWAYS
    }

    /** Returns the settings of the backend that serves a URL scheme, by the names that the core uses. */
    public Map<String, String> settings(String scheme) {
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
            if (value instanceof Record nested) {
                settings(nested)
                        .forEach((name, text) -> settings.put(kebabCase(component.getName()) + "-" + name, text));
            } else if (value != null) {
                settings.put(kebabCase(component.getName()), text(value));
            }
        }
        return settings;
    }

    private static @Nullable Object value(Record backend, RecordComponent component) {
        try {
            return component.getAccessor().invoke(backend);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(e); // public accessors without side effects
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

    /** Omits the URL, which may contain a password. */
    @Override
    public String toString() {
        return "ReplicaProperties";
    }

    /**
     * Settings of an S3 replica; all are optional.
     *
     * @param bucket Name of the bucket, or ARN of an access point. Overrides the URL.
     * @param path Prefix of all keys. Overrides the URL.
     * @param region Region of the bucket. By default it is looked up.
     * @param endpoint Address of a store other than Amazon S3, for example "https://minio.example.org:9000".
     * @param forcePathStyle Whether the bucket is part of the path instead of the host name. The default depends on the
     *     provider.
     * @param accessKeyId Access key ID. Without it, the AWS SDK's default chain finds credentials.
     * @param secretAccessKey Secret access key.
     * @param sessionToken Session token of temporary credentials.
     * @param storageClass Storage class of written objects, for example "STANDARD_IA". By default that of the bucket.
     * @param sseCustomerAlgorithm Algorithm of the customer-provided key. "AES256" is the only one.
     * @param sseCustomerKey Customer-provided encryption key, 32 bytes in base64. If the key is lost, the backup is lost.
     * @param sseCustomerKeyMd5 MD5 of "sse-customer-key" in base64. Optional; supported because Litestream has the setting.
     * @param sseCustomerKeyPath File with the customer-provided key, in base64 or as 32 raw bytes.
     * @param sseKmsKeyId ID or ARN of the AWS KMS key that encrypts written objects.
     * @param partSize Size of the parts of large files, 5MB to 1GB. Files up to this size are uploaded in one request.
     * @param concurrency Number of parts uploaded at the same time, 1 to 64. The default is 3, with Cloudflare R2 2.
     * @param skipVerify Whether to accept any certificate of the server. For tests only.
     * @param signPayload Whether the signature covers the content. "false" is allowed only with HTTPS.
     * @param requireContentMd5 Whether delete requests contain an MD5 of their content. The default depends on the provider.
     * @param conditionalWrites Whether the store can refuse to overwrite objects: "on", "off", or "auto" to detect it.
     * @param objectLock Lock that protects each written file from deletion. The bucket must have Object Lock.
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
            @Nullable String conditionalWrites,
            @Nullable ObjectLock objectLock) {

        /** Omits all values, which may be secrets. */
        @Override
        public String toString() {
            return "S3";
        }
    }

    /**
     * S3 Object Lock.
     *
     * @param mode "compliance": nobody can delete a locked file. "governance": users with a special permission can.
     * @param retain Time from its upload for which a file is locked. Must not be shorter than needed against an attacker, and
     *     files stay on the replica, and are paid for, at least that long.
     */
    public record ObjectLock(@Nullable String mode, @Nullable Duration retain) {}

    /**
     * Settings of a NATS replica; all are optional.
     *
     * @param urls Addresses of the servers: "host", "host:port", "nats://host:port" or "tls://host:port". Override the URL.
     * @param bucket Name of the object store bucket. Must equal that of the URL if both are set.
     * @param path Prefix of all object names. Overrides the URL.
     * @param username User name.
     * @param password Password of the user.
     * @param token Authentication token.
     * @param nkey Seed of the user's key pair ("SU…"). The server must know the public key.
     * @param jwt JWT of the user. Requires the seed.
     * @param seed Seed of the key pair of the JWT.
     * @param creds Path of the credentials file, which is read again at each connect.
     * @param tls Whether the connection must be encrypted. Certificates, a client key and "tls://" also require encryption.
     * @param rootCas PEM files with the authorities that may sign the server's certificate. By default those of the JVM.
     * @param clientCert PEM file with the client's certificate.
     * @param clientKey PEM file with the client's key, in PKCS#8 without a password.
     * @param maxReconnects Number of consecutive failed attempts after which a call stops waiting for the connection. With
     *     "-1" a call waits for up to 5s.
     * @param reconnectWait Pause between two attempts to replace a broken connection.
     * @param reconnectJitter Maximum of the random time that is added to this pause.
     * @param timeout Maximum wait for a connection, and for an answer.
     * @param pingInterval Interval between two pings.
     * @param maxPingsOut Number of unanswered pings after which a connection is considered lost.
     * @param createBucket Whether to create a missing bucket. An existing bucket is not changed.
     * @param storage Storage of a created bucket: "file" or "memory".
     * @param replicas Number of copies of a created bucket, 1 to 5.
     * @param maxBytes Maximum total size of the files in a created bucket. "-1" means no limit.
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

        /** Omits all values, which may be secrets. */
        @Override
        public String toString() {
            return "Nats";
        }
    }
}
