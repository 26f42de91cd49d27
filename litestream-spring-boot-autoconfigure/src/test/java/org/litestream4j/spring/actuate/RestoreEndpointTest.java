package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.ObservationView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.spring.actuate.HttpApplication.Answer;
import org.litestream4j.spring.observation.LitestreamObservationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.sqlite.JDBC;
import tools.jackson.databind.JsonNode;

/** Restores over HTTP. */
class RestoreEndpointTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private HttpApplication app;

    @AfterEach
    void stop() {
        if (app != null) {
            app.close();
        }
    }

    @Test
    void inPlace_bringsRowsBack_andTellsHowToUndoIt() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        app.jdbc().sql("delete from t").update();

        JsonNode ended = restored("{\"txid\": \"" + txid + "\", \"inPlace\": true, \"timeout\": \"20s\"}");

        assertThat(rows(app.jdbc())).isEqualTo(2);
        assertThat(ended.path("state").asString()).isEqualTo("SUCCEEDED");
        assertThat(ended.path("phase").asString()).isEqualTo("DONE");
        assertThat(ended.path("inPlace").asBoolean()).isTrue();
        assertThat(ended.path("wanted").asString()).isEqualTo("TXID " + txid);
        assertThat(ended.path("files").asInt())
                .isPositive()
                .isEqualTo(ended.path("totalFiles").asInt());
        assertThat(ended.path("bytes").asLong()).isPositive();
        assertThat(ended.path("pages").asLong()).isPositive();
        JsonNode result = ended.path("result");
        assertThat(result.path("txid").asString()).isEqualTo(txid);
        assertThat(result.path("replicated").asBoolean()).isTrue();
        assertThat(ended.path("target").isNull()).isTrue();

        restored("{\"txid\": \"" + result.path("before").asString() + "\", \"inPlace\": true}");
        assertThat(rows(app.jdbc())).isZero();
    }

    @Test
    void restore_isObservedAsAPartOfTheRequest() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        List<String> parents = new CopyOnWriteArrayList<>();
        app.bean(ObservationRegistry.class).observationConfig().observationHandler(new Parents(parents));

        restored("{\"txid\": \"" + txid + "\", \"target\": \"old.db\"}");

        assertThat(parents).containsExactly("http.server.requests");
    }

    /** The names of the observations that restores are a part of. */
    private record Parents(List<String> names) implements ObservationHandler<LitestreamObservationContext> {

        @Override
        public void onStart(LitestreamObservationContext context) {
            if (context.operation().kind() == LitestreamOperation.Kind.RESTORE) {
                ObservationView parent = context.getParentObservation();
                names.add(parent == null ? "none" : parent.getContextView().getName());
            }
        }

        @Override
        public boolean supportsContext(Observation.Context context) {
            return context instanceof LitestreamObservationContext;
        }
    }

    @Test
    void target_isWrittenBelowTheDirectory_andTheDatabaseGoesOn() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        app.jdbc().sql("insert into t values (3)").update();

        JsonNode ended = restored("{\"txid\": \"" + txid + "\", \"target\": \"old.db\", \"integrityCheck\": \"full\"}");

        assertThat(ended.path("target").asString()).isEqualTo("old.db");
        assertThat(rows(file("old.db"))).isEqualTo(2);
        assertThat(rows(app.jdbc())).isEqualTo(3);
        Answer again = restore("{\"target\": \"old.db\"}");
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.text("error")).contains("old.db").contains("force");
        sync();
        restored("{\"target\": \"old.db\", \"force\": true}");
        assertThat(rows(file("old.db"))).isEqualTo(3);
    }

    @Test
    void timestamp_isReadAsPeopleWriteIt() throws Exception {
        startUnrestricted();
        twoRows();
        Instant moment = Instant.now();
        await().until(() -> Instant.now().isAfter(moment.plusMillis(5)));
        app.jdbc().sql("insert into t values (3)").update();
        sync();
        JsonNode ended = restored("{\"timestamp\": \"" + moment + "\", \"target\": \"old.db\"}");
        assertThat(rows(file("old.db"))).isEqualTo(2);
        assertThat(Instant.parse(ended.path("result").path("time").asString())).isBefore(moment);
        JsonNode before = awaitEnd(restore("{\"timestamp\": \"2 hours ago\", \"target\": \"older.db\"}"));
        assertThat(before.path("state").asString()).isEqualTo("FAILED");
        assertThat(before.path("error").asString())
                .contains("no state older than")
                .contains("restorable is");
        assertThat(before.path("result").isNull()).isTrue();
        assertThat(folder.resolve("restored/older.db")).doesNotExist();
    }

    @Test
    void restorePoints_tellTheRangeAndLevels() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        Answer points = app.get("app.db/restore-points");
        assertThat(points.status()).isEqualTo(200);
        assertThat(points.body().path("latest").path("txid").asString()).isEqualTo(txid);
        assertThat(points.body().path("earliest").path("time").asString()).endsWith("Z");
        JsonNode level0 = points.body().path("levels").path(0);
        assertThat(level0.propertyNames())
                .containsExactly("level", "files", "bytes", "minTxid", "maxTxid", "earliest", "latest");
        assertThat(level0.path("level").asInt(-1)).isZero();
        assertThat(level0.path("files").asInt()).isPositive();
    }

    @Test
    void snapshot_isTaken() throws Exception {
        startUnrestricted();
        twoRows();
        app.jdbc().sql("insert into t values (3)").update();
        Answer snapshot = app.post("app.db/snapshot", "{\"timeout\": \"20s\"}");
        assertThat(snapshot.status()).isEqualTo(200);
        assertThat(app.get("app.db").text("replicated")).isEqualTo(snapshot.text("txid"));
        assertThat(app.get("app.db/restore-points").body().path("levels").valueStream())
                .anyMatch(level -> level.path("level").asInt() == 9);
    }

    /** What is asked for, and what the answer must name. */
    private static final String WRONG =
            """
            {} | target
            {"target": "a.db", "inPlace": true} | inPlace
            {"target": "a.db", "txdi": "1"} | txdi
            {"target": "a.db", "txid": "1", "timestamp": "1h ago"} | timestamp
            {"target": "a.db", "txid": "xyz"} | xyz
            {"target": "a.db", "txid": "0"} | TXID
            {"target": "a.db", "timestamp": "yesterday"} | yesterday
            {"target": "a.db", "force": "perhaps"} | perhaps
            {"target": "a.db", "integrityCheck": "some"} | none, quick, full
            {"target": "a.db", "timeout": "1s"} | timeout
            {"inPlace": true, "timeout": "soon"} | soon
            {"inPlace": true, "timeout": "-1s"} | timeout
            {"inPlace": true, "force": true} | force
            {"target": "../a.db"} | ../a.db
            {"target": "/tmp/a.db"} | /tmp/a.db
            {"target": "b/a.db"} | b/a.db
            {"target": "b\\\\a.db"} | plain file name
            {"target": ".."} | plain file name
            {"target": ".hidden"} | plain file name
            {"target": "a.db-wal"} | -wal
            {"target": ""} | plain file name
            """;

    @Test
    void wrongField_isNamed() throws Exception {
        startUnrestricted();
        for (String line : WRONG.split("\n", -1)) {
            if (!line.isEmpty()) {
                String[] parts = line.split(" \\| ", -1);
                Answer answer = restore(parts[0]);
                assertThat(answer.status()).as("%s: %s", line, answer).isEqualTo(400);
                assertThat(answer.text("error")).contains(parts[1]);
            }
        }
        assertThat(app.get("app.db/restores").body().path("restores")).isEmpty();
    }

    @Test
    void longValues_areNotRepeatedWhole() throws Exception {
        startUnrestricted();
        String value = "x".repeat(20_000);
        for (String field : List.of("target", "timestamp", "txid", "integrityCheck", "timeout", "force")) {
            String more = field.equals("target") ? "" : ", \"target\": \"a.db\"";
            Answer answer = restore("{\"" + field + "\": \"" + value + "\"" + more + "}");
            assertThat(answer.status()).as(field).isEqualTo(400);
            assertThat(answer.text("error"))
                    .as(field)
                    .contains("xxx", "20000 characters")
                    .hasSizeLessThan(500);
        }
        assertThat(restore("{\"" + value + "\": 1}").text("error"))
                .contains("unknown field: xxx")
                .hasSizeLessThan(500);
        String name = "x".repeat(2_000); // a request line has its limit, too
        for (String path : List.of(name, "app.db/" + name, "app.db/restores/" + name, "app.db/" + name + "/1")) {
            Answer answer = app.get(path);
            assertThat(answer.status()).as(path).isEqualTo(404);
            assertThat(answer.text("error"))
                    .as(path)
                    .contains("xxx", "2000 characters")
                    .hasSizeLessThan(500);
        }
        assertThat(app.post("app.db/" + name, "{}").text("error"))
                .contains("xxx")
                .hasSizeLessThan(500);
        String split = "x".repeat(149) + "\uD83D\uDE00"; // one character, two chars
        assertThat(restore("{\"target\": \"" + split + "\"}").text("error")).contains("target = xxx");
    }

    @Test
    void unknownNames_areToldSo() throws Exception {
        startUnrestricted();
        assertThat(app.post("none/restore", "{\"inPlace\": true}").status()).isEqualTo(404);
        assertThat(app.post("none/restore", "{\"inPlace\": true}").text("error"))
                .contains("none");
        assertThat(app.post("app.db/erase", "{}").text("error"))
                .contains("erase")
                .contains("sync, snapshot, restore");
        assertThat(app.post("app.db/sync", "{\"txid\": \"1\"}").text("error")).contains("txid");
        assertThat(app.get("app.db/backups").status()).isEqualTo(404);
        assertThat(app.get("app.db/restores/1").status()).isEqualTo(404);
        assertThat(app.get("app.db/restore-points/1").status()).isEqualTo(404);
        assertThat(app.delete("app.db/restores/1").status()).isEqualTo(404);
    }

    @Test
    void linkDeviceAndLiveDatabase_areNoTargets() throws Exception {
        Path restored = Files.createDirectories(folder.resolve("restored"));
        Path elsewhere = Files.writeString(folder.resolve("elsewhere"), "precious");
        Files.createSymbolicLink(restored.resolve("link.db"), elsewhere);
        Files.createSymbolicLink(restored.resolve("dangling.db"), folder.resolve("nothing"));
        Path pipe = restored.resolve("pipe.db");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        startUnrestricted();
        twoRows();
        Files.createLink(restored.resolve("hard.db"), folder.resolve("app.db"));
        for (String name : new String[] {"link.db", "dangling.db", "pipe.db", "hard.db"}) {
            Answer answer = restore("{\"target\": \"" + name + "\", \"force\": true}");
            assertThat(answer.status()).as(name).isEqualTo(400);
            assertThat(answer.text("error")).contains(name);
        }
        assertThat(elsewhere).hasContent("precious");
        assertThat(folder.resolve("nothing")).doesNotExist();
        assertThat(rows(app.jdbc())).isEqualTo(2);
    }

    @Test
    void withoutDirectory_filesAreRefused() throws Exception {
        app = HttpApplication.start(folder, "--management.endpoint.litestream.access=unrestricted");
        Answer answer = restore("{\"target\": \"a.db\"}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.text("error")).contains("litestream.restore.directory");
    }

    @Test
    void readOnlyAccess_leavesReadingOnly() throws Exception {
        app = HttpApplication.start(folder, "--litestream.restore.directory=" + folder.resolve("restored"));
        app.jdbc().sql("create table t (x)").update();
        assertThat(app.get("app.db/restore-points").status()).isEqualTo(200);
        assertThat(app.get("app.db/restores").status()).isEqualTo(200);
        for (String action : new String[] {"restore", "snapshot", "sync"}) {
            assertThat(app.post("app.db/" + action, "{\"inPlace\": true}").status())
                    .as(action)
                    .isEqualTo(405);
        }
        assertThat(app.delete("app.db/restores/1").status()).isEqualTo(405);
    }

    @Test
    void runningRestore_isTheOnlyOne_andCanBeCancelled() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        app.jdbc().sql("delete from t").update();
        AtomicReference<Answer> begun = new AtomicReference<>();
        whileSomebodyWrites(() -> {
            begun.set(restore("{\"txid\": \"" + txid + "\", \"inPlace\": true, \"timeout\": \"10m\"}"));
            await().atMost(PATIENCE).until(() -> app.get("app.db/" + begun.get().text("location"))
                    .text("phase")
                    .equals("COPYING"));
            Answer second = restore("{\"inPlace\": true}");
            assertThat(second.status()).isEqualTo(409);
            assertThat(second.text("error")).contains(begun.get().text("id"));
            Answer cancelled = app.delete("app.db/" + begun.get().text("location"));
            assertThat(cancelled.status()).isEqualTo(202);
            JsonNode ended = awaitEnd(begun.get());
            assertThat(ended.path("state").asString()).isEqualTo("CANCELLED");
            assertThat(ended.path("error").asString()).contains("nothing was changed");
        });
        assertThat(rows(app.jdbc())).isZero();
        assertThat(app.delete("app.db/" + begun.get().text("location")).status())
                .isEqualTo(200);
        restored("{\"txid\": \"" + txid + "\", \"inPlace\": true}");
        assertThat(app.get("app.db/restores")
                        .body()
                        .path("restores")
                        .valueStream()
                        .map(each -> each.path("state").asString()))
                .containsExactly("SUCCEEDED", "CANCELLED");
    }

    @Test
    void applicationThatEnds_cancelsAndAwaitsTheRestore() throws Exception {
        startUnrestricted();
        String txid = twoRows();
        app.jdbc().sql("delete from t").update();
        Restores restores = app.bean(Restores.class);
        whileSomebodyWrites(() -> {
            Answer begun = restore("{\"txid\": \"" + txid + "\", \"inPlace\": true, \"timeout\": \"10m\"}");
            await().atMost(PATIENCE).until(() -> app.get("app.db/" + begun.text("location"))
                    .text("phase")
                    .equals("COPYING"));
            app.close();
            assertThat(restores.of("app.db"))
                    .singleElement()
                    .extracting(restore -> restore.describe().state())
                    .isEqualTo(RestoreDescription.State.CANCELLED);
        });
        await().atMost(PATIENCE) // a pool has ended just before its thread has
                .until(() -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().contains("http-restore")));
        assertThat(rows(new SimpleDriverDataSource(new JDBC(), "jdbc:sqlite:" + folder.resolve("app.db"))))
                .isZero();
    }

    /** With a write transaction of another process's kind, which a restore in place has to wait for. */
    private void whileSomebodyWrites(Step step) throws Exception {
        try (var connection =
                        JDBC.createConnection("jdbc:sqlite:" + folder.resolve("app.db"), new java.util.Properties());
                var statement = connection.createStatement()) {
            statement.execute("begin immediate");
            step.run();
            statement.execute("rollback");
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    @Test
    void restoredFiles_areListedLimitedAndDeleted() throws Exception {
        app = HttpApplication.start(
                folder,
                "--management.endpoint.litestream.access=unrestricted",
                "--litestream.restore.directory=" + folder.resolve("restored"),
                "--litestream.restore.directory-size=18KB");
        String txid = twoRows();
        restored("{\"txid\": \"" + txid + "\", \"target\": \"one.db\"}");

        JsonNode files = app.get("app.db/files").body().path("files");
        assertThat(files).hasSize(1);
        assertThat(files.path(0).path("name").asString()).isEqualTo("one.db");
        assertThat(files.path(0).path("bytes").asLong()).isEqualTo(Files.size(folder.resolve("restored/one.db")));
        restored("{\"txid\": \"" + txid + "\", \"target\": \"two.db\"}");

        Answer full = restore("{\"target\": \"three.db\"}");
        assertThat(full.status()).isEqualTo(409);
        assertThat(full.text("error"))
                .contains("litestream.restore.directory-size")
                .contains("three.db");
        restored("{\"target\": \"two.db\", \"force\": true}");

        for (String other : new String[] {"none.db", "..", "one.db-wal", "%2e%2e%2fapp.db"}) {
            assertThat(app.delete("app.db/files/" + other).status()).as(other).isGreaterThanOrEqualTo(400);
        }
        assertThat(folder.resolve("app.db")).exists();
        assertThat(app.delete("app.db/files/one.db").status()).isEqualTo(200);
        assertThat(folder.resolve("restored/one.db")).doesNotExist();
        restored("{\"target\": \"three.db\"}");
    }

    private void startUnrestricted() {
        app = HttpApplication.start(
                folder,
                "--management.endpoint.litestream.access=unrestricted",
                "--litestream.restore.directory=" + folder.resolve("restored"));
    }

    /** The TXID at which there are two rows. */
    private String twoRows() throws Exception {
        app.jdbc().sql("create table t (x)").update();
        app.jdbc().sql("insert into t values (1), (2)").update();
        return sync();
    }

    private String sync() throws Exception {
        Answer synced = app.post("app.db/sync", "{\"timeout\": \"20s\"}");
        assertThat(synced.status()).as(synced.toString()).isEqualTo(200);
        return synced.text("replicated");
    }

    private Answer restore(String body) throws Exception {
        return app.post("app.db/restore", body);
    }

    private JsonNode restored(String body) throws Exception {
        JsonNode ended = awaitEnd(restore(body));
        assertThat(ended.path("state").asString()).as(ended.toString()).isEqualTo("SUCCEEDED");
        Duration took = Duration.between(
                Instant.parse(ended.path("startedAt").asString()),
                Instant.parse(ended.path("endedAt").asString()));
        Duration elapsed = Duration.parse(ended.path("result").path("elapsed").asString());
        assertThat(took.plusMillis(2)).as(ended.toString()).isGreaterThanOrEqualTo(elapsed); // two clocks
        return ended;
    }

    private JsonNode awaitEnd(Answer accepted) throws Exception {
        assertThat(accepted.status()).as(accepted.toString()).isEqualTo(202);
        assertThat(accepted.text("location")).isEqualTo("restores/" + accepted.text("id"));
        await().atMost(PATIENCE).until(() -> !app.get("app.db/" + accepted.text("location"))
                .text("state")
                .equals("RUNNING"));
        return app.get("app.db/" + accepted.text("location")).body();
    }

    private javax.sql.DataSource file(String name) {
        return new SimpleDriverDataSource(
                new JDBC(), "jdbc:sqlite:" + folder.resolve("restored").resolve(name));
    }

    private static int rows(javax.sql.DataSource source) {
        return rows(JdbcClient.create(source));
    }

    private static int rows(JdbcClient jdbc) {
        return jdbc.sql("select count(*) from t").query(Integer.class).single();
    }
}
