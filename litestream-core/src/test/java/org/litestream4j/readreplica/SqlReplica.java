package org.litestream4j.readreplica;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import org.litestream4j.internal.vfs.States;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.file.FileReplicaProvider;

/** A replica in a folder to which a test adds states of a real database; TXID n is of second n of 2026. */
public final class SqlReplica {

    private final Path folder;
    private byte[] last = {};
    private Txid txid = Txid.NONE;

    public SqlReplica(Path folder) {
        this.folder = folder;
    }

    public String url() {
        return folder.toUri().toString();
    }

    public static Instant timestamp(long txid) {
        return States.START.plusSeconds(txid);
    }

    /** Adds the present state of a database, as a file of level 0. */
    public Txid add(Connection primary) throws SQLException, IOException {
        return add(primary, timestamp(txid.next().value()));
    }

    /** Adds the present state of a database, as a file of level 0 with a timestamp of its own. */
    public Txid add(Connection primary, Instant timestamp) throws SQLException, IOException {
        byte[] image = States.image(primary);
        txid = txid.next();
        int stored = ((image[16] & 0xFF) << 8) | (image[17] & 0xFF);
        int pageSize = stored == 1 ? 65_536 : stored;
        long start = 32 + (txid.value() - 1) * (pageSize + 24L);
        LtxHeader header = LtxHeader.of(
                pageSize,
                image.length / pageSize,
                txid,
                txid,
                timestamp.toEpochMilli(),
                new WalRange(start, pageSize + 24L, 1, 2));
        try (ReplicaClient client = FileReplicaProvider.at(folder);
                ReplicaUpload upload = client.write(0, header.fileName(), timestamp);
                LtxWriter writer = LtxWriter.open(upload, header, PageEncoding.BLOCK)) {
            for (int from = 0; from < image.length; from += pageSize) {
                byte[] page = Arrays.copyOfRange(image, from, from + pageSize);
                boolean isNew = from >= last.length;
                if (isNew || !Arrays.equals(page, Arrays.copyOfRange(last, from, from + pageSize))) {
                    writer.writePage(from / pageSize + 1L, page);
                }
            }
            writer.finish(0);
            upload.publish();
        }
        last = image;
        return txid;
    }
}
