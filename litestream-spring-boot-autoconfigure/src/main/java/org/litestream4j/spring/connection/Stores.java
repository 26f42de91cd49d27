package org.litestream4j.spring.connection;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Stores that are recognized by the name of their image. */
enum Stores {
    /** MinIO, by its image or a copy of it with the same name in another registry. */
    MINIO(List.of("minio/minio", "chainguard/minio"), 9000, "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "minioadmin"),
    /** MinIO in the images of Bitnami, which have keys of their own by default. */
    BITNAMI_MINIO(
            List.of("bitnami/minio", "bitnamilegacy/minio", "bitnamisecure/minio"),
            9000,
            "MINIO_ROOT_USER",
            "MINIO_ROOT_PASSWORD",
            "minio",
            "miniosecret"),
    /** SeaweedFS, started with {@code mini} or {@code server -s3}. Without keys in its environment, it accepts any. */
    SEAWEEDFS(List.of("chrislusf/seaweedfs"), 8333, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "any"),
    /** RustFS. */
    RUSTFS(List.of("rustfs/rustfs"), 9000, "RUSTFS_ACCESS_KEY", "RUSTFS_SECRET_KEY", "rustfsadmin"),
    /** The S3 service of LocalStack, which accepts any keys. */
    LOCALSTACK(
            List.of("localstack/localstack", "localstack/localstack-pro"),
            4566,
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "test"),
    /** A NATS server, started with {@code -js}. The bucket is created if it is missing. */
    NATS(List.of("nats"), 4222, "", "", "");

    /** Credentials that belong to the server of the settings, not to that of the container. */
    private static final Map<String, String> NO_NATS_LOGIN =
            Map.of("username", "", "password", "", "token", "", "nkey", "", "jwt", "", "seed", "", "creds", "");

    @SuppressWarnings("ImmutableEnumChecker") // created by List.of
    private final List<String> images;

    private final int port;
    private final String userVariable;
    private final String passwordVariable;
    private final String defaultUser;
    private final String defaultPassword;

    Stores(List<String> images, int port, String userVariable, String passwordVariable, String defaultKey) {
        this(images, port, userVariable, passwordVariable, defaultKey, defaultKey);
    }

    Stores(
            List<String> images,
            int port,
            String userVariable,
            String passwordVariable,
            String defaultUser,
            String defaultPassword) {
        this.images = images;
        this.port = port;
        this.userVariable = userVariable;
        this.passwordVariable = passwordVariable;
        this.defaultUser = defaultUser;
        this.defaultPassword = defaultPassword;
    }

    /** Returns the names of the images, without registry and tag; also the names of connections. */
    List<String> images() {
        return images;
    }

    /** Returns the port inside the container. */
    int port() {
        return port;
    }

    /**
     * Returns the settings of a replica in this store, except its bucket; empty for the scheme of another store.
     *
     * @param environment variables of the container
     */
    Map<String, String> settings(String scheme, String host, int mappedPort, Map<String, String> environment) {
        if (this == NATS) {
            if (!scheme.equals("nats")) {
                return Map.of();
            }
            Map<String, String> settings = new HashMap<>(NO_NATS_LOGIN);
            settings.put("urls", host + ":" + mappedPort);
            settings.put("create-bucket", "true");
            return settings;
        }
        return S3Settings.of(
                scheme,
                "http://" + host + ":" + mappedPort,
                key(environment.get(userVariable), defaultUser),
                key(environment.get(passwordVariable), defaultPassword));
    }

    private static String key(@Nullable String value, String defaultKey) {
        return value == null || value.isBlank() ? defaultKey : value;
    }
}
