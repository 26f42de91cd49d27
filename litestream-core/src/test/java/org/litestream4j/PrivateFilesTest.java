package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteDataSource;

/** Whoever may not read the database may read nothing of what is made from it. */
@DisabledOnOs(OS.WINDOWS)
class PrivateFilesTest {

    @TempDir
    Path folder;

    private Path database() {
        return folder.resolve("app.db");
    }

    private Path metaPath() {
        return DatabaseConfig.defaultMetaPath(database());
    }

    private void replicate() throws Exception {
        DatabaseConfig config = DatabaseConfig.builder(
                        database(), ReplicaLocation.of("file://" + folder.resolve("backup/app")))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.restoreIfMissing(config);
            ManagedDatabase managed = litestream.register(config);
            SQLiteDataSource physical = new SQLiteDataSource();
            physical.setUrl("jdbc:sqlite:" + database());
            try (Connection connection = managed.wrap(physical).getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists t (x)");
                statement.execute("insert into t values (1)");
                managed.sync(Duration.ofSeconds(30));
                managed.snapshot(Duration.ofSeconds(30));
            }
        }
    }

    private static void assertPrivate(Path top) throws Exception {
        List<Path> all;
        try (Stream<Path> walk = Files.walk(top)) {
            all = walk.toList();
        }
        assertThat(all).hasSizeGreaterThan(3).allSatisfy(path -> assertThat(
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .as(path.toString())
                .isEqualTo(Files.isDirectory(path) ? "rwx------" : "rw-------"));
    }

    @Test
    void localStateAndFolderReplica_areTheirOwnersOnly() throws Exception {
        replicate();
        assertPrivate(metaPath());
        assertPrivate(folder.resolve("backup"));
    }

    @Test
    void localStateOfAnEarlierVersion_isClosedForOthers_andSoIsWhatWasMovedAside() throws Exception {
        replicate();
        Files.setPosixFilePermissions(metaPath(), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(metaPath().resolve("ltx"), PosixFilePermissions.fromString("rwxr-xr-x"));
        replicate();
        assertPrivate(metaPath());

        Files.setPosixFilePermissions(metaPath(), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.delete(database());
        replicate();
        List<Path> states;
        try (Stream<Path> entries = Files.list(folder)) {
            states = entries.filter(path -> path.getFileName().toString().startsWith(".app.db-litestream"))
                    .toList();
        }
        assertThat(states).hasSize(2).allSatisfy(state -> assertThat(
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(state)))
                .isEqualTo("rwx------"));
    }
}
