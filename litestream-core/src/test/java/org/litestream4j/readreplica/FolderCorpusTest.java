package org.litestream4j.readreplica;

import java.util.concurrent.atomic.AtomicInteger;
import org.litestream4j.replica.ReplicaLocation;

class FolderCorpusTest extends ReplicaCorpusContract {

    private final AtomicInteger replicas = new AtomicInteger();

    @Override
    ReplicaLocation location() {
        return ReplicaLocation.of(
                folder.resolve("replica-" + replicas.incrementAndGet()).toUri().toString());
    }

    @Override
    int pageSize() {
        return 512;
    }
}
