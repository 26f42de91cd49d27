package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** Databases that come to a replica without a local state that knows it. */
class KinshipTest extends EngineFixture {

    /** Of an application with migrations that stamp themselves, reference data, and rows of each tenant. */
    private static final String[] SCHEMA = {
        "CREATE TABLE history(rank INTEGER PRIMARY KEY, script, installed_on)",
        "CREATE TABLE role(id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
        "CREATE TABLE country(code TEXT PRIMARY KEY, name)",
        "CREATE TABLE customer(id INTEGER PRIMARY KEY, name, note)",
        "CREATE TABLE customer_role(customer, role, PRIMARY KEY(customer, role))",
        "CREATE INDEX customer_name ON customer(name)",
        "INSERT INTO role(name) VALUES ('ROLE_ADMINISTRATOR'), ('ROLE_ACCOUNTANT'), ('ROLE_CUSTOMER_CARE')",
        rows(300, "INSERT INTO country SELECT printf('%04d', n), 'The Republic of ' || (n * 7919) FROM n"),
    };

    private Path other;

    @BeforeEach
    void nameOther() {
        other = folder.resolve("other.db");
    }

    private static String rows(int count, String insert) {
        return "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < " + count + ") " + insert;
    }

    private static String customers(int count) {
        return rows(count, "INSERT INTO customer(name, note) SELECT hex(randomblob(8)), hex(randomblob(20)) FROM n");
    }

    private static void tenant(Path database, int customers, boolean stamped) throws Exception {
        change(database, "PRAGMA journal_mode=WAL");
        change(database, SCHEMA);
        if (stamped) {
            change(
                    database,
                    "INSERT INTO history(script, installed_on) SELECT 'V' || n || '__change.sql', hex(randomblob(6)) FROM"
                            + " (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3)");
        }
        change(database, customers(customers), "INSERT INTO customer_role SELECT id, 1 + id % 3 FROM customer");
    }

    private static void change(Path database, String... statements) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            execute(connection, statements);
        }
    }

    private void replicateApp() throws Exception {
        try (Litestream litestream = litestream()) {
            litestream.register(config().build()).sync(TIMEOUT);
        }
    }

    private List<LtxFileName> files() throws Exception {
        List<LtxFileName> files = new ArrayList<>();
        for (int level = 0; level <= 9; level++) {
            files.addAll(SqliteFixture.level(replica, level));
        }
        return files;
    }

    private void assertRefused(Path database) throws Exception {
        List<LtxFileName> before = files();
        try (Litestream litestream = litestream()) {
            ManagedDatabase managed =
                    litestream.register(config(database, replica).build());
            await().atMost(TIMEOUT).until(() -> managed.status().state() == DatabaseState.CONFLICT);
            assertThat(managed.status().lastError())
                    .contains(database.toString(), replica.toString(), "allow it once with adoptReplica=true");
            assertThatThrownBy(() -> managed.sync(TIMEOUT)).hasMessageContaining("another database");
        }
        assertThat(files()).isEqualTo(before);
    }

    private void assertAccepted(Path database) throws Exception {
        try (Litestream litestream = litestream()) {
            ManagedDatabase managed =
                    litestream.register(config(database, replica).build());
            managed.sync(TIMEOUT);
            try (Connection connection = open(managed)) {
                execute(connection, "INSERT INTO customer(name) VALUES ('one more')");
                assertReplicated(managed, connection);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 40, 2_000})
    void tenantOfTheSameSchema_isRefused_andTheOwnerGoesOn(int customers) throws Exception {
        tenant(path, customers, true);
        tenant(other, customers, true);
        replicateApp();
        assertRefused(other);
        assertThat(logged()).anyMatch(line -> line.contains("seems to hold another database"));
        assertAccepted(path);
    }

    /** Reference data is most of what there is. */
    @ParameterizedTest
    @ValueSource(ints = {2, 40, 300})
    void tenantWithoutStamps_isRefused(int customers) throws Exception {
        tenant(path, customers, false);
        tenant(other, customers, false);
        replicateApp();
        assertRefused(other);
    }

    @Test
    void databaseOfAnotherReplica_isRefused() throws Exception {
        tenant(path, 10, true);
        replicateApp();
        tenant(other, 50, true);
        Path itsOwn = folder.resolve("its-own");
        try (Litestream litestream = litestream()) {
            ManagedDatabase managed = litestream.register(config(other, itsOwn).build());
            for (int i = 0; i < 10; i++) { // further than the other replica, later on
                change(other, "INSERT INTO customer(name) VALUES ('more')");
                managed.sync(TIMEOUT);
            }
        }
        assertRefused(other);
        change(path, "INSERT INTO customer(name) VALUES ('more')");
        try (Litestream litestream = litestream()) { // the replica is ahead, too
            ManagedDatabase managed = litestream.register(config().build());
            for (int i = 0; i < 30; i++) {
                change(path, "INSERT INTO customer(name) VALUES ('more')");
                managed.sync(TIMEOUT);
            }
        }
        assertRefused(other);
    }

    @Test
    void refusedDatabase_isAcceptedWhenAllowed() throws Exception {
        tenant(path, 40, true);
        tenant(other, 40, true);
        replicateApp();
        try (Litestream litestream = litestream()) {
            litestream
                    .register(config(other, replica).adoptReplica(true).build())
                    .sync(TIMEOUT);
        }
        assertAccepted(other);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 40, 2_000, 20_000})
    void lostLocalState_isNoReason(int customers) throws Exception {
        tenant(path, customers, true);
        replicateApp();
        SqliteFixture.deleteTree(metaPath());
        assertAccepted(path);
        SqliteFixture.deleteTree(metaPath());
        for (int i = 0; i < 50; i++) { // without anybody who looks
            change(path, customers(1 + customers / 20), "UPDATE customer SET note = 'new' WHERE id % 10 = 3");
        }
        assertAccepted(path);
    }

    @Test
    void olderCopy_isAccepted() throws Exception {
        tenant(path, 1_000, true);
        change(path, "VACUUM INTO '" + other + "'", "PRAGMA wal_checkpoint(TRUNCATE)");
        Files.copy(path, other, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        try (Litestream litestream = litestream()) {
            ManagedDatabase managed = litestream.register(config().build());
            for (int i = 0; i < 20; i++) {
                change(path, customers(10), "UPDATE customer SET note = 'new' WHERE id % 50 = " + i);
                managed.sync(TIMEOUT);
            }
        }
        assertAccepted(other);
    }

    /** More than one level, and a sample of a database that is too large to be read whole. */
    @Test
    void largeDatabase_isKnownByASample() throws Exception {
        tenant(path, 30_000, true);
        tenant(other, 30_000, true);
        try (Litestream litestream = litestream()) {
            ManagedDatabase managed = litestream.register(config().build());
            for (int i = 0; i < 6; i++) {
                change(path, customers(2_000), "UPDATE customer SET note = 'new' WHERE id % 50 = " + i);
                managed.sync(TIMEOUT);
                if (i == 3) {
                    managed.compact(TIMEOUT);
                }
            }
        }
        assertRefused(other);
        SqliteFixture.deleteTree(metaPath());
        change(path, customers(1_000));
        assertAccepted(path);
    }

    @Test
    void restoredDatabase_isAccepted() throws Exception {
        tenant(path, 200, true);
        replicateApp();
        SqliteFixture.mergeLevel0(replica, other);
        assertAccepted(other);
        Path third = folder.resolve("third.db");
        SqliteFixture.mergeLevel0(replica, third);
        change(third, customers(500));
        assertAccepted(third);
    }
}
