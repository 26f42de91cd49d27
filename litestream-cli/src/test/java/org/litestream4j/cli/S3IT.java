package org.litestream4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.s3.S3Server;

/** The jar with a replica in an S3 server; the keys come from the environment. */
class S3IT {

    private static S3Server server;

    @TempDir
    Path temp;

    private record Run(int code, String out, String err) {}

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    private static String url(String bucket, String path) {
        return "s3://" + bucket + "/" + path + "?endpoint=" + server.endpoint();
    }

    @Test
    void jar_s3UrlWithParameters_replicatesListsValidatesAndRestores() throws Exception {
        Path database = temp.resolve("app.db");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            statement.execute("create table t as select randomblob(7000000) as x"); // more than a part
        }
        String url = url(S3Server.BUCKET, server.freshPath())
                + "&region=us-east-1&forcePathStyle=true&skipVerify=false&signPayload=true&requireContentMD5=true"
                + "&partSize=5MB&concurrency=2&conditionalWrites=on";
        succeed("replicate", "--once", database.toString(), url);
        assertThat(succeed("ltx", url)).contains("0000000000000001");
        succeed("validate", url);
        Path restored = temp.resolve("restored.db");
        succeed("restore", "-o", restored.toString(), url);
        assertThat(restored).hasSameBinaryContentAs(database);
    }

    @Test
    void jar_copy_goesFromAFolderThroughABucketToAFolder() throws Exception {
        Path database = temp.resolve("app.db");
        String first = temp.resolve("first").toUri().toString();
        String second = temp.resolve("second").toUri().toString();
        String bucket = url(S3Server.BUCKET, server.freshPath());
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement()) {
            statement.execute("pragma journal_mode=wal");
            for (int i = 0; i < 3; i++) {
                statement.execute("create table t" + i + " as select randomblob(2000000) as x");
                succeed("replicate", "--once", database.toString(), first);
            }
        }
        succeed("copy", first, bucket);
        assertThat(succeed("copy", first, bucket)).contains("copied 0 files, 0 bytes");
        succeed("copy", bucket, second);
        assertThat(succeed("ltx", second)).isEqualTo(succeed("ltx", first)).contains("0000000000000003");
        succeed("validate", "--deep", second);
        Path restored = temp.resolve("restored.db");
        succeed("restore", "-o", restored.toString(), second);
        assertThat(restored).hasSameBinaryContentAs(database);
    }

    @Test
    void jar_storeRefuses_saysWhatToChangeInOneLine() throws Exception {
        Run noBucket = run(S3Server.SECRET_KEY, "ltx", url("no-such-bucket", "app"));
        assertThat(noBucket.err()).contains("create bucket no-such-bucket");
        Run wrongSecret = run("wrongSecretOfTheTests", "ltx", url(S3Server.BUCKET, "app"));
        assertThat(wrongSecret.err()).contains("correct secret-access-key").doesNotContain("wrongSecret");
        Run wrongSetting = run(S3Server.SECRET_KEY, "ltx", url(S3Server.BUCKET, "app") + "&partSize=1MB");
        assertThat(wrongSetting.err()).contains("part-size", "5MiB to 1GiB");
        Run noSetting = run(S3Server.SECRET_KEY, "ltx", url(S3Server.BUCKET, "app") + "&colour=red");
        assertThat(noSetting.err()).contains("no such setting: colour");
        assertThat(List.of(noBucket, wrongSecret, wrongSetting, noSetting)).allSatisfy(run -> {
            assertThat(run.err()).startsWith("error: ").hasLineCount(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.code()).isPositive();
        });
    }

    private String succeed(String... args) throws Exception {
        Run run = run(S3Server.SECRET_KEY, args);
        assertThat(run.err()).isEmpty();
        assertThat(run.code()).isZero();
        return run.out();
    }

    private Run run(String secret, String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("cli.jar")));
        command.addAll(List.of(args));
        Path out = temp.resolve("out.txt");
        Path err = temp.resolve("err.txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("AWS_ACCESS_KEY_ID", S3Server.ACCESS_KEY);
        builder.environment().put("AWS_SECRET_ACCESS_KEY", secret);
        Process process = builder.start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Run(process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
    }
}
