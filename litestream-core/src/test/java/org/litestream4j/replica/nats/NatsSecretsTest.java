package org.litestream4j.replica.nats;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.Replicas;
import org.slf4j.LoggerFactory;

/** All ways to log in, before servers that accept, refuse and vanish: no secret in any log or exception. */
class NatsSecretsTest {

    private static final LtxFileName NAME = LtxFileName.of(new Txid(1));

    @TempDir
    Path folder;

    @Test
    void secrets_whateverFails_appearNowhere() throws Exception {
        Path creds = Files.writeString(
                folder.resolve("user.creds"),
                """
                -----BEGIN NATS USER JWT-----
                verysecret
                ------END NATS USER JWT------

                -----BEGIN USER NKEY SEED-----
                SUverysecret
                ------END USER NKEY SEED------
                """);
        List<Map<String, String>> logins = List.of(
                Map.of("username", "bob", "password", "verysecret"),
                Map.of("username", "bob", "password", "verysecret-wrong"),
                Map.of("token", "verysecret"),
                Map.of("nkey", "SUverysecret"),
                Map.of("jwt", "verysecret", "seed", "SUverysecret"),
                Map.of("creds", creds.toString()));
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        List<Appender<ILoggingEvent>> consoles = new ArrayList<>();
        root.iteratorForAppenders().forEachRemaining(consoles::add);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        StringBuilder shown = new StringBuilder();
        try {
            consoles.forEach(root::detachAppender);
            root.addAppender(log);
            root.setLevel(Level.TRACE);
            NatsServer server = NatsServer.start(folder, "authorization { user: bob, password: verysecret }");
            for (Map<String, String> login : logins) {
                try (ReplicaClient client = client(
                        shown, "nats://" + server.address() + "/backups?create-bucket=true&timeout=300ms", login)) {
                    use(shown, client);
                }
            }
            String inUrl = "nats://bob:verysecret@" + server.address() + "/backups?create-bucket=true&timeout=300ms";
            try (ReplicaClient client = client(shown, inUrl, Map.of())) {
                use(shown, client);
                server.close();
                use(shown, client);
            }
            try (ReplicaClient client = client(shown, inUrl, Map.of())) {
                use(shown, client);
            }
        } finally {
            root.detachAppender(log);
            consoles.forEach(root::addAppender);
            root.setLevel(before);
        }
        for (ILoggingEvent event : log.list) {
            shown.append(event.getLoggerName()).append(": ").append(event.getFormattedMessage());
        }
        assertThat(shown.toString()).contains("ReplicaAccessException", "rejects the login", "/backups");
        assertThat(shown.toString().lines().filter(line -> line.contains("verysecret")))
                .isEmpty();
    }

    private static ReplicaClient client(StringBuilder shown, String url, Map<String, String> login) {
        ReplicaLocation location = new ReplicaLocation(url, login);
        ReplicaClient client = Replicas.open(location);
        shown.append(location).append(NatsSettingsParser.parse(location)).append(client);
        return client;
    }

    private interface Attempt {
        void run() throws IOException;
    }

    private static void use(StringBuilder shown, ReplicaClient client) {
        shown.append(client.url());
        List<Attempt> attempts = List.of(
                client::prepare,
                () -> client.list(0, Txid.NONE, file -> true),
                () -> {
                    try (ReplicaUpload upload = client.write(0, NAME, Instant.EPOCH)) {
                        upload.write(1);
                        upload.publish();
                    }
                },
                () -> client.open(0, NAME, 0, ReplicaClient.TO_END).close(),
                () -> client.delete(0, List.of(NAME)));
        for (Attempt attempt : attempts) {
            try {
                attempt.run();
            } catch (IOException | RuntimeException e) {
                StringWriter trace = new StringWriter();
                e.printStackTrace(new PrintWriter(trace));
                shown.append(trace);
            }
        }
    }
}
