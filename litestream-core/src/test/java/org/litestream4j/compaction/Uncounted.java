package org.litestream4j.compaction;

import java.io.IOException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;

/** Looks at a replica in memory without counting as its user. */
final class Uncounted extends DelegatingReplica {
    private final MemoryReplica replica;

    Uncounted(MemoryReplica replica) {
        super(replica);
        this.replica = replica;
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        super.list(level, from, visitor);
        replica.lists--;
    }
}
