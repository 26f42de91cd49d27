package org.litestream4j.internal.pages;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;

/**
 * The record of a hydrated file, which lets the next run use it.
 *
 * @param file name of the file
 * @param checksum database checksum of its pages
 */
record CopyRecord(String file, Txid txid, Instant timestamp, int pageSize, long pages, long checksum) {

    /** Returns the record of a file; null if there is none, or none that can be read. */
    static @Nullable CopyRecord read(Path path) throws IOException {
        Properties lines = new Properties();
        try {
            lines.load(new StringReader(Files.readString(path)));
            return new CopyRecord(
                    lines.getProperty("file", ""),
                    Txid.parse(lines.getProperty("txid", "")),
                    Instant.parse(lines.getProperty("timestamp", "")),
                    Integer.parseInt(lines.getProperty("page-size", "")),
                    Long.parseLong(lines.getProperty("pages", "")),
                    HexFormat.fromHexDigitsToLong(lines.getProperty("checksum", "")));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IllegalArgumentException | DateTimeException e) {
            return null;
        }
    }

    void write(Path path) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        Files.writeString(
                temporary,
                "file=" + file + "\ntxid=" + txid + "\ntimestamp=" + timestamp + "\npage-size=" + pageSize + "\npages="
                        + pages + "\nchecksum=" + HexFormat.of().toHexDigits(checksum) + "\n");
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Returns whether the file has the pages of a state: by the database's checksum if it is known, else by the time. */
    boolean describes(State state) {
        if (!state.txid().equals(txid) || state.pageSize() != pageSize || state.commit() != pages) {
            return false;
        }
        ReplicaFile newest = state.newest();
        if (newest.databaseChecksum().isPresent()) {
            return newest.databaseChecksum().getAsLong() == checksum;
        }
        return newest.info().level() == ReplicaClient.SNAPSHOT_LEVEL
                ? !state.timestamp().isBefore(timestamp)
                : state.timestamp().equals(timestamp);
    }
}
