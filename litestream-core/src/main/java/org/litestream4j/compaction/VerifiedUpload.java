package org.litestream4j.compaction;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.replica.TeeInputStream;

/** Uploads a file while verifying it: the file becomes visible only if its whole content was valid. */
final class VerifiedUpload {

    private final ReplicaClient client;
    private final ReplicaIndex index;
    private final Fence fence;
    private final StopSignal stop;

    VerifiedUpload(ReplicaClient client, ReplicaIndex index, Fence fence, StopSignal stop) {
        this.client = client;
        this.index = index;
        this.fence = fence;
        this.stop = stop;
    }

    /**
     * Publishes a file.
     *
     * @param databaseChecksum checksum of the database after the file's last transaction, if known
     * @param content content of the whole file; closed by the caller
     * @param source description of the content, for messages
     * @throws org.litestream4j.ltx.LtxFormatException if the content is not a valid file of that name
     */
    LtxFileInfo publish(
            int level,
            LtxFileName name,
            Instant timestamp,
            OptionalLong databaseChecksum,
            InputStream content,
            String source)
            throws IOException {
        try (ReplicaUpload upload = client.write(level, name, timestamp, databaseChecksum)) {
            try (LtxReader reader = LtxReader.open(new TeeInputStream(content, upload, bytes -> {}), source, name)) {
                while (reader.next()) {
                    stop.check();
                }
            }
            fence.ensureBeforePublishing(level, name);
            index.doubt(level); // until the response has arrived
            LtxFileInfo published = publish(upload);
            index.published(published);
            return published;
        }
    }

    private static LtxFileInfo publish(ReplicaUpload upload) throws IOException {
        try {
            return upload.publish();
        } catch (ReplicaConflictException e) {
            throw new NameTakenException(e);
        }
    }

    /**
     * Thrown if another file of that name exists; it may come from an earlier attempt of this process whose response
     * was lost.
     */
    static final class NameTakenException extends IOException {
        private static final long serialVersionUID = 1L;

        private final ReplicaConflictException conflict;

        NameTakenException(ReplicaConflictException conflict) {
            super(conflict.getMessage(), conflict);
            this.conflict = conflict;
        }

        ReplicaConflictException conflict() {
            return conflict;
        }
    }
}
