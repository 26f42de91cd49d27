package org.litestream4j.readreplica;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.litestream4j.internal.pages.HydrationStatus;
import org.litestream4j.internal.pages.PageSource;
import org.litestream4j.internal.pages.PagesOptions;
import org.litestream4j.internal.pages.PagesStatus;
import org.litestream4j.internal.pages.ReplicaPages;
import org.litestream4j.internal.pages.StateInfo;
import org.litestream4j.ltx.Txid;
import org.litestream4j.readreplica.ReadReplicaStatus.Hydration;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.RestoreTarget;

/** Pages that are fetched from a replica on demand. Thread-safe. */
final class OnDemandPagesOpener implements OnDemandPages {

    private final String replica;
    private final ReplicaPages pages;

    /** @param client client of the replica; belongs to this object */
    OnDemandPagesOpener(ReplicaClient client, PagesOptions options) {
        replica = client.url();
        pages = ReplicaPages.open(client, options);
    }

    /**
     * Opens the pages of a replica, without a request.
     *
     * @throws IllegalArgumentException if no backend supports the location, or if an option is invalid
     */
    static OnDemandPagesOpener open(ReplicaLocation location, ReadReplicaOptions options) {
        PagesOptions valid = pagesOptions(options); // before the client, which would have to be closed
        return new OnDemandPagesOpener(Replicas.open(location), valid);
    }

    static PagesOptions pagesOptions(ReadReplicaOptions options) {
        PagesOptions.Builder wanted = PagesOptions.builder()
                .pollInterval(options.pollInterval())
                .maxStaleness(options.maxStaleness())
                .deadline(options.readTimeout())
                .folder(options.folder())
                .hydrate(options.hydrate());
        if (options.cacheSize() != null) {
            wanted.cacheSize(options.cacheSize());
        }
        if (options.readAhead() != null) {
            wanted.readAhead(options.readAhead());
        }
        return wanted.build();
    }

    @Override
    public PageSource newest() throws IOException {
        return pages.newest();
    }

    @Override
    public PageSource asOf(RestoreTarget target) throws IOException {
        return pages.asOf(target);
    }

    @Override
    public boolean awaitTxid(Txid txid, Duration timeout) throws IOException, InterruptedException {
        return pages.awaitTxid(txid, timeout);
    }

    @Override
    public ReadReplicaStatus status(String name) {
        PagesStatus status = pages.status();
        StateInfo newest = status.newest();
        HydrationStatus hydration = status.hydration();
        return new ReadReplicaStatus(
                name,
                replica,
                newest == null ? Txid.NONE : newest.txid(),
                newest == null ? Instant.EPOCH : newest.timestamp(),
                newest == null ? Duration.ZERO : newest.lag(),
                status.problem() != null ? status.problem() : hydration.problem(),
                status.cacheHits(),
                status.cacheMisses(),
                status.cacheBytes(),
                status.requests(),
                status.bytesRead(),
                switch (hydration.phase()) {
                    case OFF -> Hydration.OFF;
                    case VERIFYING -> Hydration.VERIFYING;
                    case FETCHING -> Hydration.FETCHING;
                    case DONE -> Hydration.DONE;
                    case FAILED -> Hydration.FAILED;
                },
                hydration.fraction(),
                null);
    }

    @Override
    public void close() throws IOException {
        pages.close();
    }
}
