package org.litestream4j.readreplica;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import org.litestream4j.ltx.Txid;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** A restored database, which is never changed. */
record RestoredFile(Path path, Txid txid, Instant timestamp) {

    /** Returns whether another file was restored from the same transactions; TXIDs repeat if a replica is begun anew. */
    boolean hasStateOf(RestoredFile other) {
        return txid.equals(other.txid) && timestamp.equals(other.timestamp);
    }

    /** Opens a read-only connection. With {@code immutable}, SQLite needs no lock and no WAL. */
    Connection connect() throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        SQLiteDataSource driver = new SQLiteDataSource(config);
        driver.setUrl("jdbc:sqlite:" + path.toUri().toString().replaceFirst("^file:/+", "file:/") + "?immutable=1");
        return driver.getConnection();
    }

    /** Deletes the file if the system lets it; connections that have it open may prevent that. */
    void delete() {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            path.toFile().deleteOnExit();
        }
    }
}
