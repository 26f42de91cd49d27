package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;

/** The packaged application, killed again and again while four clients write. */
@Tag("crash")
class SampleAppCrashIT {

    private static final int ROWS = 2_000;
    private static final int CLIENTS = 4;
    private static final int KILLS = 5;
    private static final String PADDING = "x".repeat(1_000);

    @TempDir
    Path folder;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final AtomicInteger sent = new AtomicInteger();
    private final Map<Long, String> acknowledged = new ConcurrentHashMap<>();

    @Test
    void killedFiveTimes_losesNoReplicatedRowAndShipsNoImage() throws Exception {
        System.out.println("seed " + seed);
        List<Map<Long, String>> replicatedAtKill = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            try (SampleProcess app = SampleProcess.start(folder)) {
                assertThat(app.notes()).as("after kill %d", kill).containsAllEntriesOf(acknowledged);
                write(app, ROWS * (2 * kill + 1) / (2 * KILLS + 2));
                await().atMost(Duration.ofSeconds(60)).until(app::saysReplicated);
                Map<Long, String> replicated = new HashMap<>(acknowledged);
                Thread killer = killLater(app);
                write(app, ROWS * (2 * kill + 2) / (2 * KILLS + 2));
                killer.join();
                replicatedAtKill.add(replicated);
            }
            Folders.copy(folder.resolve("data-backup"), copyAt(kill));
        }
        try (SampleProcess app = SampleProcess.start(folder)) {
            write(app, ROWS);
            await().atMost(Duration.ofSeconds(60)).until(app::saysReplicated);
            app.stop();
        }
        assertThat(acknowledged).hasSizeGreaterThan(ROWS - KILLS * CLIENTS - 1);
        for (int kill = 0; kill < KILLS; kill++) {
            assertThat(restore(copyAt(kill), "restored-" + kill + ".db"))
                    .as("at kill %d", kill)
                    .containsAllEntriesOf(replicatedAtKill.get(kill));
        }
        assertThat(restore(folder.resolve("data-backup"), "restored.db")).containsAllEntriesOf(acknowledged);
        assertNoImageAfter(newest(copyAt(0)));
    }

    /** Four clients write until so many rows were sent, or the application is gone. */
    private void write(SampleProcess app, int until) throws InterruptedException {
        List<Thread> clients = new ArrayList<>();
        for (int client = 0; client < CLIENTS; client++) {
            Thread thread = new Thread(() -> writeRows(app, until), "client-" + client);
            thread.start();
            clients.add(thread);
        }
        for (Thread client : clients) {
            client.join();
        }
    }

    private void writeRows(SampleProcess app, int until) {
        try {
            for (int row = sent.incrementAndGet(); row <= until; row = sent.incrementAndGet()) {
                String text = row + " " + PADDING;
                acknowledged.put(app.add(text), text);
            }
            sent.decrementAndGet(); // this one was not sent
        } catch (IOException e) {
            return; // killed: whether that row is kept is open
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Thread killLater(SampleProcess app) {
        long delay = random.nextInt(1_500);
        Thread killer = new Thread(() -> {
            try {
                Thread.sleep(delay);
                app.kill();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        killer.start();
        return killer;
    }

    private Path copyAt(int kill) {
        return folder.resolve("replica-at-kill-" + kill);
    }

    private Map<Long, String> restore(Path replica, String name) throws IOException, SQLException {
        Path restored = folder.resolve(name);
        try (ReplicaClient client = open(replica)) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + restored);
                Statement statement = connection.createStatement()) {
            try (ResultSet check = statement.executeQuery("pragma integrity_check")) {
                assertThat(check.getString(1)).isEqualTo("ok");
            }
            Map<Long, String> notes = new HashMap<>();
            try (ResultSet rows = statement.executeQuery("select id, text from note")) {
                while (rows.next()) {
                    notes.put(rows.getLong(1), rows.getString(2));
                }
            }
            return notes;
        }
    }

    private static ReplicaClient open(Path replica) {
        return Replicas.open(ReplicaLocation.of(replica.toUri().toString()));
    }

    private static Txid newest(Path replica) throws IOException {
        Txid[] newest = {Txid.NONE};
        try (ReplicaClient client = open(replica)) {
            client.list(0, Txid.NONE, file -> {
                newest[0] = file.maxTxid();
                return true;
            });
        }
        return newest[0];
    }

    /** A file with a full image holds every page; what a second of writing changes is far less. */
    private void assertNoImageAfter(Txid txid) throws IOException {
        List<LtxFileInfo> files = new ArrayList<>();
        try (ReplicaClient client = open(folder.resolve("data-backup"))) {
            client.list(0, txid.next(), files::add);
            assertThat(files).hasSizeGreaterThanOrEqualTo(KILLS);
            for (LtxFileInfo file : files) {
                try (LtxReader reader = LtxReader.open(
                        client.open(0, file.name(), 0, ReplicaClient.TO_END),
                        file.name().toString(),
                        file.name())) {
                    long pages = 0;
                    while (reader.next()) {
                        pages++;
                    }
                    assertThat(pages)
                            .as(file.name() + " of a database of "
                                    + reader.header().commit() + " pages")
                            .isLessThan(reader.header().commit() * 3 / 4);
                }
            }
        }
    }
}
