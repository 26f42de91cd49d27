package org.litestream4j.spring;

import org.litestream4j.Litestream;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.transaction.annotation.Transactional;

/** Transactions within others, and methods that join one. */
class NestedOrders {
    private final Orders orders;
    private final ObjectProvider<Litestream> litestream;
    private long waitsWithin;

    NestedOrders(Orders orders, ObjectProvider<Litestream> litestream) {
        this.orders = orders;
        this.litestream = litestream;
    }

    private long waits() {
        return litestream
                .getObject()
                .databases()
                .iterator()
                .next()
                .statistics()
                .commitWaits()
                .count();
    }

    public long waitsWithin() { // a proxy has fields of its own
        return waitsWithin;
    }

    @Transactional
    public void readThenNewReplicated() {
        long before = waits();
        orders.addNewReplicated();
        waitsWithin = waits() - before;
    }

    @Transactional(label = "litestream.replicated")
    public void readReplicatedThenNew() {
        orders.addNew();
    }

    @Transactional
    public void joinReplicated() {
        long before = waits();
        orders.addReplicated();
        waitsWithin = waits() - before;
    }

    @Transactional(label = "litestream.replicated")
    public void replicatedJoinAsync() {
        orders.addAsync();
    }
}
