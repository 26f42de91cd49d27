package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import javax.sql.DataSource;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.vfs.MomentSource;
import org.litestream4j.internal.vfs.ReplicaDataSource;
import org.litestream4j.internal.vfs.ReplicaDatabase;
import org.litestream4j.internal.vfs.ReplicaVfs;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreTarget;

/** Fetches pages when SQLite reads them. */
final class OnDemandBackend implements ReadReplicaBackend {

    private final String name;
    private final OnDemandPages pages;
    private final ReplicaVfs vfs;
    private final ReplicaDatabase database;
    private final DataSource newest;

    private OnDemandBackend(ReadReplicaName name, OnDemandPages pages, ReplicaVfs vfs, PageSource source) {
        this.pages = pages;
        this.vfs = vfs;
        database = new ReplicaDatabase(source, new Moments(pages));
        this.name = name.claim(candidate -> vfs.add(candidate, database));
        newest = new ReplicaDataSource(vfs, this.name, database);
    }

    /** Finds the newest state and makes it available under a name. Closes the pages if that fails. */
    static OnDemandBackend open(ReadReplicaName name, OnDemandPages pages, ReplicaVfs vfs) throws IOException {
        try {
            return new OnDemandBackend(name, pages, vfs, pages.newest());
        } catch (IOException | RuntimeException e) {
            try {
                pages.close();
            } catch (IOException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public DataSource newest() {
        return newest;
    }

    @Override
    public DataSource asOf(RestoreTarget target) throws IOException {
        return fixed(pages.asOf(target));
    }

    private DataSource fixed(PageSource source) {
        return new ReplicaDataSource(vfs, name, new ReplicaDatabase(source, new Moments(pages)));
    }

    @Override
    public boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException {
        return pages.awaitTxid(txid, timeout);
    }

    @Override
    public ReadReplicaStatus status() {
        return pages.status(name);
    }

    @Override
    public void close() throws IOException {
        vfs.remove(name, database);
        pages.close();
    }

    /** The moments that connections select in SQL. */
    private record Moments(OnDemandPages pages) implements MomentSource {

        @Override
        public PageSource newest() throws IOException {
            return pages.newest();
        }

        @Override
        public PageSource at(Instant moment) throws IOException {
            return pages.asOf(RestoreTarget.timestamp(moment));
        }
    }
}
