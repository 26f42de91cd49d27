package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.open;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.nio.file.Path;
import java.sql.Connection;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random queries give the same rows through a replica as on the file. */
class CorpusTest {

    private static final int[] PAGE_SIZES = {512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65_536})
    void queries_giveTheRowsOfTheFile(int pageSize) throws Exception {
        compare(pageSize, 1_000, 40, new Random().nextLong());
    }

    @Test
    @Tag("soak")
    void fiveThousandQueries_giveTheRowsOfTheFile() throws Exception {
        for (int pageSize : PAGE_SIZES) {
            compare(pageSize, 10_000, 625, new Random().nextLong());
        }
    }

    @Test
    @Tag("soak")
    void largeBlob_isReadWhole() throws Exception {
        States states = new States();
        try (Connection file = open("jdbc:sqlite:" + folder.resolve("blob.db"))) {
            execute(file, "CREATE TABLE b(data)", "INSERT INTO b VALUES (randomblob(100000000))");
            states.add(file);
            try (Connection replica = open(VfsFixture.register(states.database()))) {
                QueryCorpus.compare(file, replica, "SELECT data, length(data) FROM b");
            }
        }
    }

    private void compare(int pageSize, int orders, int queries, long seed) throws Exception {
        System.out.println("seed " + seed + ", pages of " + pageSize);
        QueryCorpus corpus = new QueryCorpus(seed, orders);
        States states = new States();
        try (Connection file = open("jdbc:sqlite:" + folder.resolve(pageSize + ".db"))) {
            corpus.fill(file, pageSize);
            states.add(file);
            try (Connection replica = open(VfsFixture.register(states.database()))) {
                execute(replica, "PRAGMA cache_size=" + (seed % 2 == 0 ? 10 : 2000));
                assertThat(rows(replica, "PRAGMA page_size")).isEqualTo("" + pageSize);
                int withRows = 0;
                for (int i = 0; i < queries; i++) {
                    withRows += QueryCorpus.compare(file, replica, corpus.next()) ? 1 : 0;
                }
                assertThat(withRows).isGreaterThan(queries / 2);
                assertThat(rows(replica, "PRAGMA integrity_check")).isEqualTo("ok");
            }
        }
    }
}
