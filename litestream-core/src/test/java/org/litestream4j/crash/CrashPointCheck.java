package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.crash.CrashPointChild.Role;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.History;
import org.litestream4j.testing.PagesOfReplica;
import org.litestream4j.testing.Truth;

/** Compares a {@link History} and its replica with each other, and with the log of the process that wrote them. */
final class CrashPointCheck {

    private final Path folder;
    private final Path outside;
    private final Path replica;
    private final Role role;
    private final CrashPointLog log;

    CrashPointCheck(Path folder, Role role) throws IOException {
        this(folder, folder, role);
    }

    /**
     * @param folder of the database and the local state
     * @param outside folder of the replica and the log
     */
    CrashPointCheck(Path folder, Path outside, Role role) throws IOException {
        this.folder = folder;
        this.outside = outside;
        this.replica = outside.resolve("replica");
        this.role = role;
        this.log = CrashPointLog.read(outside);
    }

    /** Checks that the replica alone restores to everything that was acknowledged as replicated. */
    void acknowledgedIsOnReplica() throws Exception {
        List<String> newest = List.of();
        for (List<String> state : states().values()) {
            newest = state;
        }
        log.assertReplicatedIn(newest);
        for (Map.Entry<Txid, Truth> entry : log.truths().entrySet()) {
            PagesOfReplica pages = new PagesOfReplica(replica);
            assertThat(pages.applyTo(entry.getKey()))
                    .as("TXID %s", entry.getKey())
                    .isTrue();
            entry.getValue().assertSame(Truth.of(pages), "TXID " + entry.getKey());
        }
    }

    /** Starts an engine on the files as they are, commits more, and compares. */
    void continuesWithNewEngine() throws Exception {
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = litestream.register(CrashPointChild.config(folder, outside, role));
            try (Connection connection = EngineFixture.open(database)) {
                continues(database, connection);
            }
        }
    }

    /** Commits more, and compares every page and every transaction with the database that SQLite shows. */
    void continues(ManagedDatabase database, Connection connection) throws Exception {
        History.append(connection, "after-1");
        database.sync(EngineFixture.TIMEOUT);
        History.append(connection, "after-2");
        assertReplicated(database, connection);
        List<String> history = History.of(connection);
        if (role == Role.CONTINUATION) {
            log.assertReplicatedIn(
                    history); // with synchronous=NORMAL, a power cut may take commits with it, but none of these
        } else {
            log.assertCommittedIn(history);
        }
        for (Map.Entry<Txid, List<String>> state : states().entrySet()) {
            if (!History.isBeginning(state.getValue(), log.beforeRestore())) {
                assertThat(history)
                        .as("TXID %s, a state that was committed", state.getKey())
                        .startsWith(state.getValue().toArray(new String[0]));
            }
        }
    }

    private static void assertReplicated(ManagedDatabase database, Connection connection) throws Exception {
        database.sync(EngineFixture.TIMEOUT); // an engine that starts needs the write lock for a moment
        execute(connection, "BEGIN IMMEDIATE");
        database.sync(EngineFixture.TIMEOUT);
        Truth truth = Truth.of(database.config().path());
        execute(connection, "ROLLBACK");
        PagesOfReplica pages = new PagesOfReplica(
                Path.of(java.net.URI.create(database.config().replica().url())));
        assertThat(pages.applyTo(database.status().captured()))
                .as("TXID %s is on the replica", database.status().captured())
                .isTrue();
        truth.assertSame(Truth.of(pages), "TXID " + pages.txid());
    }

    /** Checks that a restore gives the bytes of the database file. Every connection to it must be closed. */
    void restoresToTheFile() throws IOException {
        Path restored = outside.resolve("restored.db");
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        assertThat(restored).hasSameBinaryContentAs(folder.resolve("app.db"));
        Files.delete(restored);
    }

    private Map<Txid, List<String>> states() throws IOException, SQLException {
        return History.ofReplica(replica, outside.resolve("state.db"));
    }
}
