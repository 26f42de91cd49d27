package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;
import static org.litestream4j.testing.SqliteFixture.query;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.litestream4j.compaction.Compaction;
import org.litestream4j.compaction.CompactionSettings;
import org.litestream4j.compaction.Levels;
import org.litestream4j.compaction.Simulation;
import org.litestream4j.compaction.SnapshotKeep;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CaptureSettings;
import org.litestream4j.internal.capture.LiveImage;
import org.litestream4j.internal.replication.Ownership;
import org.litestream4j.internal.replication.Replication;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreTarget;
import org.litestream4j.testing.ManualClock;
import org.litestream4j.testing.SqliteFixture;

/** What the lanes do, one step after the other, with a real database and a replica in a folder, on a simulated clock. */
final class SimulatedEngine implements Simulation.Database, AutoCloseable {
    private final ManualClock clock;
    private final Path folder;
    final ReplicaClient client;
    private final Connection connection;
    private final Capture capture;
    private final Replication replication;
    final Compaction compaction;
    final Map<Txid, Long> counters = new HashMap<>();
    private long counter;

    SimulatedEngine(Path folder, ManualClock clock, SnapshotKeep keep) throws Exception {
        this.folder = folder;
        this.clock = clock;
        Path path = folder.resolve("app.db");
        client = Replicas.open(
                ReplicaLocation.of(folder.resolve("replica").toUri().toString()));
        connection = SqliteFixture.dataSource(path).getConnection();
        execute(
                connection,
                "pragma journal_mode=wal",
                "pragma wal_autocheckpoint=0",
                "pragma synchronous=off",
                "create table counter(n)",
                "insert into counter values (0)",
                "create table t(n integer primary key, v)");
        CaptureSettings settings = new CaptureSettings(
                path,
                folder.resolve("meta"),
                Duration.ofSeconds(1),
                Duration.ofMinutes(1),
                1000,
                16_384,
                64 << 20,
                PageEncoding.BLOCK,
                true);
        capture = new Capture(settings, clock, CaptureListener.NONE);
        Ownership ownership = new Ownership(client, clock, clock::nanoTime, Duration.ofSeconds(150));
        compaction = new Compaction(
                client,
                new CompactionSettings(
                        Levels.DEFAULT,
                        Duration.ofMinutes(5),
                        Duration.ofHours(24),
                        Duration.ofHours(24),
                        keep,
                        true,
                        PageEncoding.BLOCK,
                        true),
                (name, size) -> {
                    try {
                        return new OpenedFile(
                                Files.newInputStream(capture.staging().path(name)), OptionalLong.empty());
                    } catch (NoSuchFileException e) {
                        return null;
                    }
                },
                ownership::ensure,
                clock,
                clock::nanoTime);
        replication = new Replication(capture, client, clock, Duration.ofMinutes(5), ownership, compaction::uploaded);
        assertThat(capture.acquireLocalState()).isTrue();
        capture.attach();
        replication.startAfter(replication.verify().replicaNewest());
        capture.image(Txid.NONE, false);
        upload();
    }

    private void upload() throws IOException {
        while (replication.uploadNext() != null) {
            counters.put(replication.replicated(), counter);
        }
    }

    @Override
    public void commit() throws Exception {
        counter++;
        execute(
                connection,
                "begin",
                "update counter set n = " + counter,
                "insert or replace into t values (" + counter % 5000 + ", randomblob(50))",
                "commit");
        capture.capture();
        capture.checkpoint();
        upload();
    }

    @Override
    public Txid replicated() {
        return replication.replicated();
    }

    @Override
    public void publishSnapshot(Compaction value) throws IOException {
        try (LiveImage image = capture.openImage()) {
            upload();
            assertThat(image.write(() -> false)).isTrue();
            Path file = capture.snapshots().path(image.name());
            try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
                value.publishSnapshot(image.name(), clock.instant(), OptionalLong.empty(), in, file.toString());
            }
            Files.delete(file);
        }
    }

    @Override
    public void verify(List<LtxFileInfo> files, Txid txid) throws Exception {
        Path target = folder.resolve("restored.db");
        Restore.restore(
                client,
                target,
                RestoreOptions.builder()
                        .target(RestoreTarget.txid(txid))
                        .force(true)
                        .build());
        try (Connection restored = DriverManager.getConnection("jdbc:sqlite:" + target)) {
            assertThat(query(restored, "select n from counter")).isEqualTo(counters.get(txid));
            assertThat(SqliteFixture.text(restored, "pragma integrity_check")).isEqualTo("ok");
        }
    }

    @Override
    public void forgetBefore(Txid oldest) {
        counters.keySet().removeIf(txid -> txid.isBefore(oldest));
    }

    @Override
    public void close() throws IOException, SQLException {
        connection.close();
        capture.close();
        capture.releaseLocalState();
        client.close();
    }
}
