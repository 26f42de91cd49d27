package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.internal.vfs.VfsFixture.execute;
import static org.litestream4j.internal.vfs.VfsFixture.rows;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.internal.vfs.QueryCorpus;
import org.litestream4j.internal.vfs.SharedVfs;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.readreplica.ReadReplicaStatus.Hydration;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.testing.SqliteFixture;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/**
 * Random queries give the same rows through a read replica in a store as on the database that the engine replicated there:
 * with an empty and a filled cache, and with part of the database and all of it in the local copy.
 *
 * <p>The tagged test asks 5,000 queries of databases of all page sizes; {@code -Dcorpus.queries} sets another number, and
 * {@code -Dcorpus.seed} repeats a run.
 */
abstract class ReplicaCorpusContract {

    private static final int[] PAGE_SIZES = {512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536};

    /** Smaller files are given to the hydration as a whole. */
    private static final long LARGE = 1 << 20;

    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** Threads whose requests are those of the hydration. */
    private static final String HYDRATING = "litestream-pages-hydrate";

    @TempDir
    Path folder;

    private final long seed = Long.getLong("corpus.seed", new Random().nextLong());

    /** Where nothing is. */
    abstract ReplicaLocation location();

    /** Page size of the ordinary run. */
    abstract int pageSize();

    /** How much of the database is near. */
    private enum Temperature {
        /** A new read replica for a few queries. */
        COLD,
        /** Each query a second time, from the cache. */
        WARM,
        /** Half of the database is in the local copy, and the cache holds few pages. */
        HALF_HYDRATED,
        HYDRATED
    }

    @Test
    void queries_giveTheRowsOfTheFile() throws Exception {
        compare(pageSize(), 400, 20, 10);
    }

    @Test
    @Tag("soak")
    void fiveThousandQueries_giveTheRowsOfTheFile() throws Exception {
        int queries = Integer.getInteger("corpus.queries", 5_000);
        for (int pageSize : PAGE_SIZES) {
            compare(pageSize, 3_000, queries / PAGE_SIZES.length, 25);
        }
    }

    @Test
    @Tag("soak")
    void largeBlobs_areReadWhole() throws Exception {
        ReplicaLocation location = location();
        Path path = folder.resolve("blobs.db");
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, location).build());
            try (Connection writer =
                    database.wrap(SqliteFixture.dataSource(path)).getConnection()) {
                execute(writer, "CREATE TABLE b(id INTEGER PRIMARY KEY, data)");
                for (int size : new int[] {100_000_000, 500_000, 10_000, 1_000}) { // one large file on the replica
                    execute(writer, "INSERT INTO b(data) VALUES (randomblob(" + size + "))");
                }
                database.sync(TIMEOUT);
            }
        }
        List<String> queries =
                List.of("SELECT id, data, length(data) FROM b ORDER BY id", "SELECT substr(data, -1000) FROM b");
        List<String> answers = answers(path, queries);
        for (Temperature temperature : Temperature.values()) {
            compare(location, queries, answers, temperature, 1);
        }
    }

    /** @param together number of queries that one cold read replica answers */
    private void compare(int pageSize, int orders, int count, int together) throws Exception {
        System.out.println("-Dcorpus.seed=" + seed + ", pages of " + pageSize);
        Path path = folder.resolve(pageSize + ".db");
        ReplicaLocation location = location();
        QueryCorpus corpus = new QueryCorpus(seed, orders);
        replicate(corpus, path, pageSize, location);
        List<String> queries = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            queries.add(corpus.next());
        }
        List<String> answers = answers(path, queries);
        assertThat(answers.stream().filter(answer -> !answer.startsWith("0 rows")))
                .hasSizeGreaterThan(count / 2);
        assertThat(answers(path, List.of("PRAGMA page_size"))).isEqualTo(answers(path, List.of("SELECT " + pageSize)));
        for (Temperature temperature : Temperature.values()) {
            compare(location, queries, answers, temperature, together);
        }
    }

    /** Writes the database in several transactions, so that its pages are in a snapshot and in files of two levels. */
    private static void replicate(QueryCorpus corpus, Path path, int pageSize, ReplicaLocation location)
            throws Exception {
        try (Litestream litestream = Litestream.builder().build()) {
            ManagedDatabase database =
                    litestream.register(DatabaseConfig.builder(path, location).build());
            try (Connection writer = database.wrap(source(path, pageSize)).getConnection()) {
                corpus.fill(writer, pageSize);
                execute(writer, "INSERT INTO file(data) VALUES (randomblob(3000000))");
                database.sync(TIMEOUT);
                database.snapshot(TIMEOUT);
                execute(writer, "UPDATE orders SET total = total + 1 WHERE id % 10 = 3");
                database.sync(TIMEOUT);
                execute(writer, "DELETE FROM item WHERE order_id % 50 = 7", "UPDATE doc SET body = body || ' alpha1'");
                database.compact(TIMEOUT);
                execute(writer, "INSERT INTO customer(name, country) VALUES ('last', 'ch')");
                database.sync(TIMEOUT);
            }
        }
    }

    private static SQLiteDataSource source(Path path, int pageSize) {
        SQLiteConfig config = new SQLiteConfig();
        config.setPageSize(pageSize);
        config.setBusyTimeout(30_000);
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + path);
        return source;
    }

    private static List<String> answers(Path path, List<String> queries) throws Exception {
        try (Connection file = DriverManager.getConnection("jdbc:sqlite:" + path)) {
            return answers(file, queries);
        }
    }

    private static List<String> answers(Connection connection, List<String> queries) throws Exception {
        List<String> answers = new ArrayList<>();
        for (String query : queries) {
            answers.add(QueryCorpus.answer(connection, query));
        }
        return answers;
    }

    private void compare(
            ReplicaLocation location, List<String> queries, List<String> answers, Temperature temperature, int together)
            throws Exception {
        long begun = System.nanoTime();
        ReadReplicaOptions.Builder options = ReadReplicaOptions.builder().pollInterval(Duration.ofHours(1));
        switch (temperature) {
            case COLD -> {
                for (int from = 0; from < queries.size(); from += together) {
                    int to = Math.min(queries.size(), from + together);
                    try (ReadReplica replica = open(location, options, Integer.MAX_VALUE);
                            Connection connection = replica.dataSource().getConnection()) {
                        compareAll(connection, queries.subList(from, to), answers.subList(from, to));
                    }
                }
            }
            case WARM -> {
                try (ReadReplica replica = open(location, options, Integer.MAX_VALUE);
                        Connection connection = replica.dataSource().getConnection()) {
                    answers(connection, queries);
                    compareAll(connection, queries, answers);
                }
            }
            case HALF_HYDRATED -> compareHalfHydrated(location, options, queries, answers);
            case HYDRATED -> {
                options.hydrate(true).cacheSize(1L << 20);
                try (ReadReplica replica = open(location, options, Integer.MAX_VALUE)) {
                    Awaitility.await()
                            .atMost(TIMEOUT)
                            .until(() -> replica.status().hydration() == Hydration.DONE);
                    long read = replica.status().bytesRead();
                    try (Connection connection = replica.dataSource().getConnection()) {
                        compareAll(connection, queries, answers);
                        assertThat(rows(connection, "PRAGMA integrity_check")).isEqualTo("ok");
                    }
                    assertThat(replica.status().bytesRead() - read)
                            .as("bytes read of a database that is local")
                            .isLessThan(1 << 20);
                }
            }
        }
        System.out.printf(
                "%s: %d queries in %d ms%n", temperature, queries.size(), (System.nanoTime() - begun) / 1_000_000);
    }

    private void compareHalfHydrated(
            ReplicaLocation location, ReadReplicaOptions.Builder options, List<String> queries, List<String> answers)
            throws Exception {
        options.hydrate(true).cacheSize(1L << 20).readTimeout(Duration.ofMinutes(1));
        try (ReadReplica replica = open(location, options, 70)) {
            Awaitility.await().atMost(TIMEOUT).until(() -> replica.status().hydrated() > 0.2);
            try (Connection connection = replica.dataSource().getConnection()) {
                compareAll(connection, queries, answers);
            }
            assertThat(replica.status().hydration()).isNotEqualTo(Hydration.DONE);
            assertThat(replica.status().hydrated()).isBetween(0.2, 0.9);
        }
    }

    private static void compareAll(Connection connection, List<String> queries, List<String> answers) throws Exception {
        execute(connection, "PRAGMA cache_size=10");
        for (int i = 0; i < queries.size(); i++) {
            assertThat(QueryCorpus.answer(connection, queries.get(i)))
                    .as(queries.get(i))
                    .isEqualTo(answers.get(i));
        }
    }

    /** @param percent part of the bytes of the database that the hydration can fetch */
    private static ReadReplica open(ReplicaLocation location, ReadReplicaOptions.Builder options, int percent)
            throws Exception {
        ReplicaClient client = Replicas.open(location);
        return ReadReplica.open(
                new ReadReplicaName("corpus", false),
                new OnDemandPagesOpener(
                        new PartlyHydrated(client, percent), OnDemandPagesOpener.pagesOptions(options.build())),
                SharedVfs.get());
    }

    /** A store that gives the hydration only the first part of each large file. */
    private static final class PartlyHydrated extends DelegatingReplica {

        private final int percent;

        PartlyHydrated(ReplicaClient client, int percent) {
            super(client);
            this.percent = percent;
        }

        @Override
        public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
            if (percent < 100 && Thread.currentThread().getName().startsWith(HYDRATING)) {
                long[] size = {0};
                list(level, name.min(), file -> {
                    size[0] = file.name().equals(name) ? file.size() : size[0];
                    return !file.name().equals(name);
                });
                if (size[0] > LARGE && offset + length > size[0] * percent / 100) {
                    throw new IOException("the rest is not given to the hydration");
                }
            }
            return super.openFile(level, name, offset, length);
        }
    }
}
