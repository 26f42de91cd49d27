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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.nats.NatsServer;

/** The jar with a replica in a real NATS server. */
class NatsIT {

    @TempDir
    Path temp;

    @Test
    void jar_natsUrl_replicatesListsAndRestores() throws Exception {
        try (NatsServer server = NatsServer.start(temp.resolve("nats"))) {
            Path database = temp.resolve("app.db");
            try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                    Statement statement = connection.createStatement()) {
                statement.execute("pragma journal_mode=wal");
                statement.execute("create table t as select randomblob(10000) as x");
            }
            String url = "nats://" + server.address() + "/backups";
            run("replicate", "--once", database.toString(), url + "?create-bucket=true");
            assertThat(run("ltx", url)).contains("0000000000000001");
            Path restored = temp.resolve("restored.db");
            run("restore", "-o", restored.toString(), url);
            assertThat(restored).hasSameBinaryContentAs(database);
        }
    }

    /** Standard output of a run that succeeds without a word of complaint. */
    private String run(String... args) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                System.getProperty("cli.jar")));
        command.addAll(List.of(args));
        Path out = temp.resolve("out.txt");
        Path err = temp.resolve("err.txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(Files.readString(err, UTF_8)).isEmpty();
        assertThat(process.exitValue()).isZero();
        return Files.readString(out, UTF_8);
    }
}
