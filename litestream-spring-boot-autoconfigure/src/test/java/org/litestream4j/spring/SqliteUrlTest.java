package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqliteUrlTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:sqlite:@/plain.db",
                "JDBC:SQLITE:@/upper.db",
                "jdbc:sqlite:@/a/../dots.db",
                "jdbc:sqlite:@/spaced name.db",
                "jdbc:sqlite:@/50%25.db",
                "jdbc:sqlite:@/pragmas.db?journal_mode=WAL&busy_timeout=5000",
                "jdbc:sqlite:@/line-break.db\n",
                "jdbc:sqlite:@/blanks.db \t\r\n",
                "jdbc:sqlite:file:@/uri-line-break.db?mode=rwc\n",
                "jdbc:sqlite:@/50%.db",
                "jdbc:sqlite:@/number#sign.db",
                "jdbc:sqlite:@/mixed.db?Journal_Mode=wal",
                "jdbc:sqlite:file:@/uri.db",
                "jdbc:sqlite:file://@/empty-authority.db",
                "jdbc:sqlite:file://localhost@/local-authority.db",
                "jdbc:sqlite:file:@/escaped%20name.db",
                "jdbc:sqlite:file:@/plus+sign.db",
                "jdbc:sqlite:file:@/fragment.db#part",
                "jdbc:sqlite:file:@/parameters.db?mode=rwc&cache=private&busy_timeout=100",
            })
    void path_isTheFileThatSqliteOpens(String pattern) throws Exception {
        Files.createDirectory(folder.resolve("a"));
        String url = pattern.replace("@", folder.toString());
        Path opened;
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet databases = statement.executeQuery("pragma database_list")) {
            opened = Path.of(databases.getString("file"));
        }
        assertThat(SqliteUrl.path(url).orElseThrow().toRealPath()).isEqualTo(opened.toRealPath());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:p6spy:sqlite:/x/app.db",
                "jdbc:otel:sqlite:/x/app.db\n",
                "JDBC:LOG4JDBC:SQLITE:/x/app.db",
                "jdbc:p6spy:otel:sqlite:/x/app.db",
                "jdbc:my-wrapper:sqlite:/x/app.db"
            })
    void path_behindADriverThatWrapsAnother_isTheSame(String url) {
        assertThat(SqliteUrl.path(url)).hasValue(Path.of("/x/app.db"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:sqlite:app.db ?busy_timeout=1",
                "jdbc:sqlite: app.db",
                "jdbc:sqlite:a\nb.db",
                "jdbc:sqlite:file:a.db\n?mode=rwc",
                "jdbc:sqlite:file:a%0Ab.db",
                "jdbc:sqlite:~/app.db",
                "jdbc:p6spy:sqlite:file:~/app.db",
                "jdbc:sqlite:app.db;password=secret",
                "jdbc:sqlite:app.db&journal_mode=WAL",
                "jdbc:sqlite:file:app.db;mode=rwc",
            })
    void path_unclear_isRefused(String url) {
        assertThatThrownBy(() -> SqliteUrl.path(url)).isInstanceOf(LitestreamSettingException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"journal_mode=DELETE", "Journal_Mode=truncate", "journal_mode=MEMORY", "locking_mode=EXCLUSIVE"})
    void path_parameterThatReplicationCannotLiveWith_isRefusedByName(String parameter) {
        for (String url : new String[] {"jdbc:sqlite:app.db?", "jdbc:sqlite:file:app.db?mode=rwc&"}) {
            assertThatThrownBy(() -> SqliteUrl.path(url + parameter))
                    .isInstanceOf(LitestreamSettingException.class)
                    .hasMessageContaining(parameter);
        }
    }

    @Test
    void path_ofRelativeUrl_isBelowTheWorkingDirectory() {
        Path expected = Path.of("data/app.db").toAbsolutePath();
        assertThat(SqliteUrl.path("jdbc:sqlite:./data/app.db")).hasValue(expected);
        assertThat(SqliteUrl.path("jdbc:sqlite:data/app.db?synchronous=NORMAL")).hasValue(expected);
        assertThat(SqliteUrl.path("jdbc:sqlite:file:data/app.db")).hasValue(expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:postgresql://localhost/app", "jdbc:h2:mem:test", "", "sqlite:app.db"})
    void path_ofOtherDatabase_isEmpty(String url) {
        assertThat(SqliteUrl.path(url)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:sqlite::memory:",
                "jdbc:sqlite::memory:?cache_size=100",
                "jdbc:sqlite:file::memory:",
                "jdbc:sqlite:file::memory:?cache=shared",
                "jdbc:sqlite:file:shared?mode=memory&cache=shared",
                "jdbc:sqlite:file:/shared?vfs=memdb",
            })
    void path_ofMemory_isEmpty(String url) {
        assertThat(SqliteUrl.path(url)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc:sqlite:", "jdbc:sqlite:?journal_mode=wal", "jdbc:sqlite:file:"})
    void path_ofTemporary_isEmpty(String url) {
        assertThat(SqliteUrl.path(url)).isEmpty();
    }

    @Test
    void path_ofResource_isEmpty() {
        assertThat(SqliteUrl.path("jdbc:sqlite::resource:seed.db")).isEmpty();
    }

    @Test
    void path_withUnknownParameter_isRefused() {
        assertThatThrownBy(() -> SqliteUrl.path("jdbc:sqlite:app.db?jurnal_mode=wal"))
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("the parameter \"jurnal_mode\"")
                .hasMessageContaining("part of the file name");
    }

    @Test
    void path_onAnotherHost_isRefused() {
        assertThatThrownBy(() -> SqliteUrl.path("jdbc:sqlite:file://server/app.db"))
                .isInstanceOf(LitestreamSettingException.class)
                .hasMessageContaining("the host \"server\"");
    }
}
