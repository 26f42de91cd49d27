package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Restores that the page of the packaged application asks for. */
class SampleAppRestoreIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final String DATABASE = "/actuator/litestream/app.db";

    @TempDir
    Path folder;

    @Test
    void chosenState_comesBackInAFileAndInPlace_whileTheApplicationRuns() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("first");
            app.add("second");
            await().atMost(PATIENCE).until(app::saysReplicated);
            String txid = app.get("/api/replication").path("replicated").asString();
            app.add("third");
            app.delete("/api/notes/1");

            JsonNode side = ended(app, restore(app, Map.of("txid", txid, "target", "before.db")));
            assertThat(side.path("state").asString()).as(side.toString()).isEqualTo("SUCCEEDED");
            assertThat(notesIn(folder.resolve("data-restored/before.db"))).containsExactly("first", "second");
            assertThat(app.notes().values()).containsExactly("second", "third");

            JsonNode back = ended(app, restore(app, Map.of("txid", txid, "inPlace", true)));
            assertThat(back.path("state").asString()).as(back.toString()).isEqualTo("SUCCEEDED");
            assertThat(back.path("result").path("txid").asString()).isEqualTo(txid);
            assertThat(app.notes().values()).containsExactly("first", "second");
            app.add("fourth");
            assertThat(app.notes().values()).containsExactly("first", "second", "fourth");

            JsonNode points = app.get(DATABASE + "/restore-points");
            assertThat(points.path("latest").path("txid").asString()).isGreaterThan(txid);
            assertThat(app.get(DATABASE + "/restores").path("restores")).hasSize(2);
            app.stop();
        }
        Folders.delete(folder.resolve("data")); // what was restored is what is replicated
        try (SampleProcess app = SampleProcess.start(folder)) {
            assertThat(app.notes().values()).containsExactly("first", "second", "fourth");
        }
    }

    @Test
    void namesThatLeadOut_areRefused() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("first");
            await().atMost(PATIENCE).until(app::saysReplicated);
            for (String name : List.of("../app.db", "..", "/tmp/app.db", "a/b.db", "..\\a.db", "data/app.db", ".a")) {
                SampleProcess.Answer answer = app.post(DATABASE + "/restore", Map.of("target", name, "force", true));
                assertThat(answer.status()).as(name).isEqualTo(400);
                assertThat(answer.body().path("error").asString()).contains(name);
            }
            assertThat(folder.resolve("data-restored")).doesNotExist();
        }
    }

    /** What the page warns of, and what it needs to undo it after it was loaded again. */
    @Test
    void stateOfBeforeTheMigrations_showsInTheAnswers_andCanBeUndone() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("first");
            await().atMost(PATIENCE).until(app::saysReplicated);
            JsonNode replication = app.get("/api/replication");
            Instant migrated = Instant.parse(replication.path("schemaSince").asString());
            assertThat(migrated).isBetween(Instant.now().minusSeconds(120), Instant.now());

            ended(app, restore(app, Map.of("txid", "1", "inPlace", true)));
            assertThat(app.get("/api/replication").path("state").asString()).isEqualTo("REPLICATING");
            JsonNode last = app.get(DATABASE + "/restores").path("restores").path(0);
            assertThat(last.path("inPlace").asBoolean()).isTrue();
            String before = last.path("result").path("before").asString();
            ended(app, restore(app, Map.of("txid", before, "inPlace", true)));
            assertThat(app.notes().values()).containsExactly("first");
        }
    }

    @Test
    void page_hasWhatItsScriptAsksFor() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            String page = app.text("/index.html");
            String script = app.text("/restore.js");
            List<String> ids = new ArrayList<>();
            var uses = Pattern.compile("element\\(\"([a-z-]+)\"\\)").matcher(script);
            while (uses.find()) {
                ids.add(uses.group(1));
            }
            assertThat(ids).isNotEmpty().allSatisfy(id -> assertThat(page).contains("id=\"" + id + "\""));
        }
    }

    private static String restore(SampleProcess app, Map<String, Object> body) throws Exception {
        SampleProcess.Answer accepted = app.post(DATABASE + "/restore", body);
        assertThat(accepted.status()).as(accepted.toString()).isEqualTo(202);
        return DATABASE + "/" + accepted.body().path("location").asString();
    }

    private static JsonNode ended(SampleProcess app, String location) throws Exception {
        await().atMost(PATIENCE)
                .until(() -> !app.get(location).path("state").asString().equals("RUNNING"));
        return app.get(location);
    }

    private static List<String> notesIn(Path database) throws Exception {
        List<String> notes = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select text from note order by id")) {
            while (rows.next()) {
                notes.add(rows.getString(1));
            }
        }
        return notes;
    }
}
