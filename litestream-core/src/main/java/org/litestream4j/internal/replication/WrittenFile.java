package org.litestream4j.internal.replication;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaLostException;

/**
 * A file of the replica that this process has written.
 *
 * @param fileChecksum checksum at the end of the file
 */
record WrittenFile(LtxFileInfo file, long fileChecksum) {

    /**
     * Returns whether the file still exists.
     *
     * @throws ReplicaConflictException if another file has its name
     * @throws ReplicaLostException if only a part of it is left
     */
    boolean isPresent(ReplicaClient client) throws IOException {
        try (InputStream in =
                client.open(file.level(), file.name(), Math.max(0, file.size() - Long.BYTES), Long.BYTES)) {
            byte[] end = in.readNBytes(Long.BYTES);
            if (end.length < Long.BYTES) {
                throw shorter(client);
            }
            if (ByteBuffer.wrap(end).getLong() != fileChecksum) {
                throw overwritten(client);
            }
            return true;
        } catch (ReplicaFileChangedException e) {
            throw shorter(client);
        } catch (ReplicaFileNotFoundException e) {
            return false; // or another process has merged and deleted it
        }
    }

    /** Returns the error for a file that is shorter than it was written: another one, or a part of it. */
    private IOException shorter(ReplicaClient client) throws IOException {
        String label = file.level() + "/" + file.name();
        try (LtxReader reader = LtxReader.open(
                new BufferedInputStream(client.open(file.level(), file.name(), 0, ReplicaClient.TO_END)),
                label,
                file.name())) {
            while (reader.next()) {
                // reading to the end is the check
            }
            return overwritten(client);
        } catch (LtxFormatException e) {
            return new ReplicaLostException(
                    client.url(), label + " was cut short: " + e.getMessage(), "find out what damages its files", true);
        }
    }

    private ReplicaConflictException overwritten(ReplicaClient client) {
        return new ReplicaConflictException(
                client.url(),
                "level " + file.level() + " holds " + file.name()
                        + " with other content than this process wrote: it was overwritten",
                "stop the other writer, or give one of them another replica URL; then restart this application",
                null);
    }
}
