package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;

/** Malformed URLs with a secret in them: no text of ours repeats it. */
class RedactionFuzzTest {

    private static final int URLS = 10_000;
    private static final String CANARY = "Xq7CANARY9z";

    private static final List<String> SCHEMES = List.of(
            "s3",
            "S3",
            "nats",
            "file",
            "gs",
            "sftp",
            "jdbc:sqlite",
            "jdbc:sqlite:file",
            "jdbc:postgresql",
            "jdbc:p6spy:sqlite",
            "s 3",
            "s3 ",
            " s3",
            "\"s3",
            "'nats",
            "",
            "s3:",
            "tls");

    private static final List<String> TEMPLATES = List.of(
            "%1$s://user:%2$s@host:9000/bucket/path",
            "%1$s://%2$s@host/bucket",
            "%1$s://AKIA:%2$s@bucket.host:9000/path?region=x",
            "%1$s:user:%2$s@host/bucket",
            "%1$s://bucket/path?secret-access-key=%2$s",
            "%1$s://bucket/path?access-key-id=a&secret-access-key=%2$s&region=eu",
            "%1$s://host:4222/bucket?password=%2$s&bogus=1",
            "%1$s://host/bucket?token=%2$s",
            "%1$s:data/app.db?password=%2$s",
            "%1$s:/data/app.db?journal_mode=WAL&key=%2$s&cipher=aes",
            "%1$s:/data/app.db;password=%2$s",
            "%1$s:data/%%zz/app.db?hexkey=%2$s",
            "%1$s://evil/app.db?hexkey=%2$s",
            "%1$s://bucket?sse-customer-key=%2$s#x",
            "%1$s://bucket/path&secret-access-key=%2$s",
            "%1$s://bucket/path;secretAccessKey=%2$s",
            "%1$s://host/bucket/path&password=%2$s",
            "%1$s://bucket/path#token=%2$s",
            "AWS_SECRET=%2$s %1$s://bucket/path");

    private static final String AROUND = "/+=:%&?#'\" \\@\t\n;,.-_aZ0é";

    private static final String INSERTED = " \"'%?&=:/#\n\tx";

    private final Random random = new Random(20261130);

    private String secret() {
        return some(AROUND, 4) + CANARY + some(AROUND, 4);
    }

    private String some(String of, int most) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            text.append(of.charAt(random.nextInt(of.length())));
        }
        return text.toString();
    }

    private <T> T any(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    private String malformed() {
        String quote = random.nextInt(3) == 0 ? any(List.of("\"", "'", " ", "\n", "`")) : "";
        String url = quote + any(TEMPLATES).formatted(any(SCHEMES), secret()) + quote;
        int canary = url.indexOf(CANARY);
        for (int i = random.nextInt(3); i > 0; i--) { // not into the canary, which would hide it from the test
            int at = random.nextInt(canary + 1);
            String inserted = some(INSERTED, 2);
            url = url.substring(0, at) + inserted + url.substring(at);
            canary += inserted.length();
        }
        return url;
    }

    private static String everythingOf(Throwable e) {
        StringWriter text = new StringWriter();
        e.printStackTrace(new PrintWriter(text));
        return text + (e instanceof LitestreamSettingException setting ? setting.remedy() : "");
    }

    @Test
    void messages_neverRepeatASecret() throws Exception {
        for (int i = 0; i < URLS; i++) {
            String url = malformed();
            assertThat(Redaction.url(url)).as(url).doesNotContain(CANARY);
            try (ReplicaClient client = Replicas.open(new ReplicaLocation(url, Map.of()))) {
                boolean folder = client.url().startsWith("file:"); // its name is the place
                assertThat(folder ? "" : client.url()).as(url).doesNotContain(CANARY);
            } catch (IllegalArgumentException e) {
                assertThat(everythingOf(e)).as(url).doesNotContain(CANARY);
            }
            try {
                SqliteUrl.path(url);
                SqliteUrl.isNameless(url);
            } catch (LitestreamSettingException e) {
                assertThat(everythingOf(e)).as(url).doesNotContain(CANARY);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/var/backups/app",
                "s3://bucket/path",
                "s3://bucket.host:9000/path",
                "nats://host:4222/bucket",
                "file:///var/backups/app",
                "jdbc:sqlite:./data/app.db",
                "jdbc:sqlite:file:/data/app.db"
            })
    void urlWithoutSecrets_isShown(String url) {
        assertThat(Redaction.url(url)).isEqualTo(url);
    }

    @Test
    void controlCharacters_areShownAsQuestionMarks() {
        assertThat(Redaction.printable("a\nb\r\u001b[31mc\u2028d\u202ee")).isEqualTo("a?b??[31mc?d?e");
    }
}
