package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;

/** What a user reads when the application does not start because of the database, or of several. */
class DatabaseFailureAnalyzerTest extends FailedStartFixture {

    @Test
    void replicaWithoutADatabase(CapturedOutput output) {
        start(
                replica(),
                "spring.autoconfigure.exclude="
                        + "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration");
        assertExplained(
                output,
                "A replica is configured, but no database: spring.datasource.url is not set.",
                "Set spring.datasource.url, or litestream.databases.<name>.path if the DataSource is configured in another"
                        + " way.");
    }

    @Test
    void twoDatabasesWithOneReplica(CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.other.path=" + folder.resolve("other.db"),
                "litestream.databases.other.replica.url=file://" + folder.resolve("replica"));
        assertExplained(
                output,
                "The databases \"app.db\" and \"other\" have the replica in common.",
                "Give each database a file and a replica of its own; see litestream.databases.*");
    }

    @Test
    void twoDatabasesWithoutAPath(CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.one.sync-interval=2s",
                "litestream.databases.two.sync-interval=2s");
        assertExplained(
                output,
                "litestream.databases.one and litestream.databases.two have no path: only one can be the application's"
                        + " database (spring.datasource.url).",
                "Set litestream.databases.<name>.path for the others.");
    }

    /** Java would take each for a folder below the working directory. */
    @ParameterizedTest
    @ValueSource(strings = {"jdbc:sqlite:/data/app.db", "file:///data/app.db", "~/app.db"})
    void pathThatIsNone(String path, CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.other.path=" + path,
                "litestream.databases.other.replica.url=file://" + folder.resolve("replicas"));
        boolean home = path.startsWith("~");
        assertExplained(
                output,
                "A path of the database \"other\" " + (home ? "begins with ~, which only shells expand." : "is a URL."),
                home
                        ? "Write ${user.home} instead of ~, or an absolute path."
                        : "Write the path of the file: /data/app.db");
    }

    @Test
    void pathWithALineBreakAtItsEnd_isTheFile() {
        assertThat(DatabaseSettings.path("other", " /data/app.db\n")).isEqualTo(Path.of("/data/app.db"));
    }

    /** As in shells and in Litestream: it would match nothing, or everything with a dot, without a word. */
    @ParameterizedTest
    @ValueSource(strings = {"[ab].db", "*.{db,sqlite}", "["})
    void patternWithBrackets(String pattern, CapturedOutput output) {
        start(
                database(),
                replica(),
                "litestream.databases.tenants.path=" + folder.resolve("tenants"),
                "litestream.databases.tenants.pattern=" + pattern,
                "litestream.databases.tenants.replica.url=file://" + folder.resolve("replicas"));
        assertExplained(
                output,
                "litestream.databases.tenants.pattern = \"" + pattern + "\" is no pattern.",
                "Write * for any characters, ? for one, **/ for all folders below, as in **/*.db; there are no others.");
    }

    @Test
    void temporaryDatabaseWithAReplica(CapturedOutput output) {
        for (String url : List.of("jdbc:sqlite:", "jdbc:sqlite:?journal_mode=wal", "jdbc:sqlite:file:")) {
            start("spring.datasource.url=" + url, replica());
            assertExplained(
                    output,
                    "A replica is configured, but the database URL \"" + url.replaceFirst("\\?.*", "?…")
                            + "\" names no file: SQLite makes a temporary database of it, which is lost at the end.",
                    "Use a file, for example jdbc:sqlite:./data/app.db, or set litestream.enabled=false where nothing is to"
                            + " be replicated.");
        }
    }

    @Test
    void unknownUrlParameter(CapturedOutput output) {
        String url = "jdbc:sqlite:" + folder.resolve("app.db") + "?jurnal_mode=wal";
        start("spring.datasource.url=" + url, replica());
        assertExplained(
                output,
                "The database URL \"" + url.replace("jurnal_mode=wal", "…")
                        + "\" has the parameter \"jurnal_mode\", which SQLite JDBC does not know: it would"
                        + " become part of the file name.",
                "Correct or remove the parameter.");
    }
}
