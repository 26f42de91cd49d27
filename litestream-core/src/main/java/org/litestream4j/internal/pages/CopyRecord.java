package org.litestream4j.internal.pages;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.Txid;

/**
 * The record of a hydrated file, which lets the next run use it.
 *
 * @param file name of the file
 * @param checksum database checksum of its pages
 * @param newest identity of the newest file on the replica that the pages came from
 */
record CopyRecord(String file, Txid txid, int pageSize, long pages, long checksum, String newest) {

    /** Returns the record of a file with the pages of a state. */
    static CopyRecord of(Path file, State state, long checksum) {
        return new CopyRecord(
                file.getFileName().toString(),
                state.txid(),
                state.pageSize(),
                state.commit(),
                checksum,
                identity(state.newest()));
    }

    /** Returns a text that differs for files of another level, name, size, timestamp or version. */
    private static String identity(ReplicaFile file) {
        return StoredIndexes.key(file.info() + " " + file.version());
    }

    /** Returns the record of a file; null if there is none, or none that can be read. */
    static @Nullable CopyRecord read(Path path) throws IOException {
        Properties lines = new Properties();
        try {
            lines.load(new StringReader(Files.readString(path)));
            return new CopyRecord(
                    lines.getProperty("file", ""),
                    Txid.parse(lines.getProperty("txid", "")),
                    Integer.parseInt(lines.getProperty("page-size", "")),
                    Long.parseLong(lines.getProperty("pages", "")),
                    HexFormat.fromHexDigitsToLong(lines.getProperty("checksum", "")),
                    lines.getProperty("newest", ""));
        } catch (NoSuchFileException e) {
            return null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    void write(Path path) throws IOException {
        Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
        Files.writeString(
                temporary,
                "file=" + file + "\ntxid=" + txid + "\npage-size=" + pageSize + "\npages=" + pages + "\nchecksum="
                        + HexFormat.of().toHexDigits(checksum) + "\nnewest=" + newest + "\n");
        Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /**
     * Returns whether the file certainly has the pages of a state: by the database's checksum if it is known, else because
     * both end with the same file of the replica.
     */
    boolean describes(State state) {
        if (!state.txid().equals(txid) || state.pageSize() != pageSize || state.commit() != pages) {
            return false;
        }
        ReplicaFile last = state.newest();
        return last.databaseChecksum().isPresent()
                ? last.databaseChecksum().getAsLong() == checksum
                : identity(last).equals(newest);
    }
}
