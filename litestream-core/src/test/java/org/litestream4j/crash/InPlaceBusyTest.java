package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.testing.SqliteFixture;

/** Restores in place of a database of 15 MB under 32 busy clients. */
class InPlaceBusyTest {

    @TempDir
    Path folder;

    @Test
    @Tag("slow")
    void clients_meetNoError_andSeeWholeStates() throws Exception {
        Path path = folder.resolve("app.db");
        DatabaseConfig config = DatabaseConfig.builder(
                        path,
                        ReplicaLocation.of(folder.resolve("replica").toUri().toString()))
                .build();
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database = litestream.register(config);
            DataSource source = database.wrap(SqliteFixture.dataSource(path));
            InPlaceLoad load = new InPlaceLoad(database, source, 60_000, (writer, number, restores) -> {});
            List<Txid> states = load.create();
            load.begin();
            for (int i = 0; i < 20; i++) {
                load.restore(states.get(i % 2));
                load.check();
            }
            load.stop();
            System.out.println(load.summary());
            try (Connection connection = source.getConnection()) {
                assertThat(InPlaceLoad.epoch(connection)).isEqualTo(2);
                assertThat(InPlaceLoad.problem(connection)).isEmpty();
            }
            database.sync(Duration.ofSeconds(60));
        }
        assertThat(SqliteFixture.integrity(path)).isEqualTo("ok");
    }
}
