package org.litestream4j.internal.pages;

import java.io.IOException;
import java.time.Instant;
import java.util.Collection;
import java.util.Optional;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;

/** The files of one state as a replica of their own, so that a restore reads these and no others. Thread-safe. */
final class StateReplica implements ReplicaClient {

    private final ReadOnlyReplica replica;
    private final State state;

    StateReplica(ReadOnlyReplica replica, State state) {
        this.replica = replica;
        this.state = state;
    }

    @Override
    public String url() {
        return replica.url();
    }

    @Override
    public void prepare() {
        replica.prepare();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        for (ReplicaFile file : state.files()) {
            LtxFileInfo info = file.info();
            if (info.level() == level && !info.minTxid().isBefore(from) && !visitor.visit(info)) {
                return;
            }
        }
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        for (ReplicaFile file : state.files()) {
            if (file.info().level() == level && file.info().name().equals(name)) {
                return open(file, offset, length);
            }
        }
        throw new ReplicaFileNotFoundException(
                url(), "no file " + name + " in level " + level + " of TXID " + state.txid(), "", null);
    }

    private OpenedFile open(ReplicaFile file, long offset, long length) throws IOException {
        OpenedFile opened = replica.openFile(file.info().level(), file.info().name(), offset, length);
        boolean same = false;
        try {
            file.requireVersion(opened.version());
            same = true;
            return opened;
        } finally {
            if (!same) {
                opened.close();
            }
        }
    }

    @Override
    public Instant timestamp(LtxFileInfo file) throws IOException {
        return replica.timestamp(file);
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
        return replica.write(level, name, timestamp, databaseChecksum);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) {
        replica.delete(level, names);
    }

    @Override
    public Optional<MarkStore> marks() {
        return replica.marks();
    }

    /** Leaves the replica open. */
    @Override
    public void close() {}
}
