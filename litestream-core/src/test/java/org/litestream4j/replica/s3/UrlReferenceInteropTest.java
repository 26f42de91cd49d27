package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.SqliteFixture;

/**
 * A URL names the same object for us and for a {@code litestream} program: what one replicates there, the other restores. Run with
 * {@code -Dlitestream.reference=PATH}; skipped without it.
 */
class UrlReferenceInteropTest {

    private static S3Server server;

    @TempDir
    private Path folder;

    private Path program;
    private Path database;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void findProgram() throws Exception {
        String configured = System.getProperty("litestream.reference", "");
        assumeTrue(!configured.isEmpty(), "needs a litestream program: -Dlitestream.reference=PATH");
        program = Path.of(configured);
        database = folder.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            SqliteFixture.execute(connection, "pragma journal_mode=wal", "create table t(x)");
        }
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#files")
    void fileUrl_namesTheSameFolder(String path, String expected) throws Exception {
        Path there = folder.resolve("there");
        run("replicate", "-once", database.toString(), "file://" + there + path);
        assertThat(Path.of(there + expected, "ltx", "0")).isNotEmptyDirectory();
        restoreHere(ReplicaLocation.of("file://" + there + path));
        Path here = folder.resolve("here");
        replicateHere(ReplicaLocation.of("file://" + here + path));
        run("restore", "-o", folder.resolve("theirs.db").toString(), "file://" + here + path);
    }

    /** Of every row, also those whose keys the store of these tests cannot hold. */
    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#objects")
    void s3Url_isAskedForByTheSameKeys(String path, String expected) throws Exception {
        try (Listings store = new Listings()) {
            String url = "s3://" + S3Server.BUCKET + path + "?endpoint=" + store.endpoint()
                    + "&forcePathStyle=true&region=us-east-1";
            start("restore", "-o", folder.resolve("theirs.db").toString(), url);
            assertThat(store.prefixes()).anyMatch(prefix -> prefix.startsWith(expected + "/000"));
            store.prefixes().clear();
            try (ReplicaClient client = Replicas.open(location(url, Map.of()))) {
                client.list(0, Txid.NONE, file -> true);
            }
            assertThat(store.prefixes()).containsExactly(expected + "/0000/");
        }
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#paths")
    void s3Path_isAskedForByTheSameKeys(String path, String expected) throws Exception {
        try (Listings store = new Listings()) {
            Path configuration = configuration(path, store.endpoint());
            start("restore", "-config", configuration.toString(), "-o", folder + "/theirs.db", database.toString());
            assertThat(store.prefixes()).anyMatch(prefix -> prefix.startsWith(expected + "/000"));
        }
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#objects")
    void s3Url_namesTheSameObjects(String path, String expected) throws Exception {
        assumeStorable(expected);
        empty();
        String url = "s3://" + S3Server.BUCKET + path + "?endpoint=" + server.endpoint()
                + "&forcePathStyle=true&region=us-east-1";
        run("replicate", "-once", database.toString(), url);
        assertThat(keys()).allMatch(key -> key.startsWith(expected + "/0000/")).isNotEmpty();
        restoreHere(location(url, Map.of()));
        empty();
        replicateHere(location(url, Map.of()));
        run("restore", "-o", folder.resolve("theirs.db").toString(), url);
    }

    @ParameterizedTest
    @MethodSource("org.litestream4j.replica.UrlTable#paths")
    void s3Path_namesTheSameObjects(String path, String expected) throws Exception {
        assumeStorable(expected);
        empty();
        Path configuration = configuration(path, server.endpoint());
        run("replicate", "-once", "-config", configuration.toString());
        assertThat(keys()).allMatch(key -> key.startsWith(expected + "/0000/")).isNotEmpty();
        ReplicaLocation ours = location(
                "s3://" + S3Server.BUCKET,
                Map.of(
                        "path",
                        path,
                        "endpoint",
                        server.endpoint().toString(),
                        "force-path-style",
                        "true",
                        "region",
                        "us-east-1"));
        restoreHere(ours);
        empty();
        replicateHere(ours);
        run(
                "restore",
                "-config",
                configuration.toString(),
                "-o",
                folder.resolve("theirs.db").toString(),
                database.toString());
    }

    /** The store of these tests keeps its objects by the names of paths, which have no such parts. */
    private static void assumeStorable(String prefix) {
        assumeTrue(
                prefix.equals(UrlPath.clean(prefix)) && !prefix.isEmpty(), "the store of this test has no such keys");
    }

    private Path configuration(String path, URI endpoint) throws IOException {
        return Files.writeString(
                folder.resolve("litestream.yml"),
                """
                dbs:
                  - path: %s
                    replica:
                      type: s3
                      bucket: %s
                      path: '%s'
                      endpoint: %s
                      force-path-style: true
                      region: us-east-1
                """
                        .formatted(database, S3Server.BUCKET, path, endpoint));
    }

    private static ReplicaLocation location(String url, Map<String, String> more) {
        Map<String, String> settings = new java.util.HashMap<>(more);
        settings.put("access-key-id", S3Server.ACCESS_KEY);
        settings.put("secret-access-key", S3Server.SECRET_KEY);
        return new ReplicaLocation(url, settings);
    }

    private void restoreHere(ReplicaLocation replica) throws IOException {
        try (ReplicaClient client = Replicas.open(replica)) {
            Restore.restore(client, folder.resolve("ours.db"), RestoreOptions.defaults());
        }
    }

    private void replicateHere(ReplicaLocation replica) throws Exception {
        DatabaseConfig config = DatabaseConfig.builder(database, replica)
                .metaPath(folder.resolve("state"))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.register(config).sync(Duration.ofSeconds(30));
        }
    }

    private static List<String> keys() {
        List<String> keys = new ArrayList<>();
        server.sdk()
                .listObjectsV2Paginator(request -> request.bucket(S3Server.BUCKET))
                .contents()
                .forEach(object -> keys.add(object.key()));
        return keys;
    }

    private static void empty() {
        for (String key : keys()) {
            server.sdk().deleteObject(request -> request.bucket(S3Server.BUCKET).key(key));
        }
    }

    private void run(String... arguments) throws Exception {
        assertThat(start(arguments))
                .as(Files.readString(folder.resolve("program.log")))
                .isZero();
    }

    private int start(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(List.of(arguments));
        Path log = folder.resolve("program.log");
        ProcessBuilder process =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        process.environment().remove("AWS_CA_BUNDLE"); // with it, the program sends nothing over plain HTTP
        process.environment().put("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY);
        process.environment().put("AWS_SECRET_ACCESS_KEY", S3Server.SECRET_KEY);
        Process running = process.start();
        assertThat(running.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return running.exitValue();
    }

    /** A store without objects that remembers what was listed. */
    private static final class Listings implements AutoCloseable {
        private static final Pattern PREFIX = Pattern.compile("(?:^|&)prefix=([^&]*)");

        private final List<String> prefixes = new CopyOnWriteArrayList<>();
        private final HttpServer http =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

        Listings() throws IOException {
            http.createContext("/", exchange -> {
                String query = exchange.getRequestURI().getRawQuery();
                Matcher matcher = PREFIX.matcher(query == null ? "" : query);
                if (matcher.find()) {
                    prefixes.add(URLDecoder.decode(matcher.group(1), StandardCharsets.UTF_8));
                }
                byte[] none = ("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                                + "<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>")
                        .getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, none.length);
                exchange.getResponseBody().write(none);
                exchange.close();
            });
            http.start();
        }

        List<String> prefixes() {
            return prefixes;
        }

        URI endpoint() {
            return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
        }

        @Override
        public void close() {
            http.stop(0);
        }
    }
}
