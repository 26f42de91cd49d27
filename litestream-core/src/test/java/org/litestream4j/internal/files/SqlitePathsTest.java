package org.litestream4j.internal.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SQLite itself says which file it opens. */
class SqlitePathsTest {

    @TempDir
    Path folder;

    @BeforeEach
    void makeLinks() throws Exception {
        folder = folder.toRealPath();
        Files.createDirectories(folder.resolve("shared/deep/er"));
        Files.createDirectories(folder.resolve("releases/1"));
        Files.createSymbolicLink(folder.resolve("current"), Path.of("releases/1"));
        Files.createSymbolicLink(folder.resolve("releases/1/app.db"), Path.of("../../shared/app.db"));
        Files.createSymbolicLink(folder.resolve("link"), folder.resolve("shared/deep/er"));
        Files.createSymbolicLink(folder.resolve("missing.db"), Path.of("shared/to-come.db"));
        Files.createSymbolicLink(folder.resolve("chain.db"), Path.of("current/app.db"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "plain.db",
                "current/app.db",
                "link/../up.db",
                "link/../../up.db",
                "missing.db",
                "chain.db",
                "./shared//deep/./x.db",
                "shared/../shared/deep/../x.db",
                "shared/blank ? % # + & = ü ' name.db",
                "shared/back\\slash \\\\ name.db",
            })
    void fileOfSqlite_isTheResolvedOne(String name) throws Exception {
        Path path = Path.of(folder + "/" + name); // not normalized
        Path resolved = SqlitePaths.resolve(path);
        try (Connection connection = DriverManager.getConnection(SqlitePaths.jdbcUrl(path, ""));
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA journal_mode=WAL");
            statement.execute("CREATE TABLE t(x)");
            try (ResultSet row = statement.executeQuery("PRAGMA database_list")) {
                row.next();
                assertThat(row.getString(3)).isEqualTo(resolved.toString());
            }
            assertThat(resolved).isRegularFile();
            assertThat(SqlitePaths.wal(resolved)).isRegularFile();
        }
    }

    @Test
    void loop_isAnError() throws Exception {
        Files.createSymbolicLink(folder.resolve("a"), Path.of("b"));
        Files.createSymbolicLink(folder.resolve("b"), Path.of("a"));
        assertThatThrownBy(() -> SqlitePaths.resolve(folder.resolve("a")))
                .isInstanceOf(FileSystemLoopException.class)
                .hasMessageContaining(folder.resolve("a").toString());
    }
}
