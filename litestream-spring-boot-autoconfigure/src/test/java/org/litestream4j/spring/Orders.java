package org.litestream4j.spring;

import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Commits in the ways that a service can: with a label, without one, in a transaction of its own. */
class Orders {
    private final JdbcClient jdbc;
    private final ApplicationEventPublisher events;

    Orders(JdbcClient jdbc, ApplicationEventPublisher events) {
        this.jdbc = jdbc;
        this.events = events;
    }

    private void insert() {
        jdbc.sql("insert into orders values (1)").update();
    }

    @Transactional
    public void add() {
        insert();
    }

    @Transactional(label = "litestream.replicated")
    public void addReplicated() {
        insert();
        events.publishEvent("added");
    }

    @Transactional(label = "litestream.async")
    public void addAsync() {
        insert();
    }

    @Transactional
    public void addAndFail() {
        insert();
        throw new IllegalStateException("on purpose");
    }

    @Transactional(readOnly = true)
    public long count() {
        return jdbc.sql("select count(*) from orders").query(Long.class).single();
    }

    @Transactional(label = "litestream.replicated")
    public long countReplicated() {
        return count();
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW)
    public void addNew() {
        insert();
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW, label = "litestream.replicated")
    public void addNewReplicated() {
        insert();
    }
}
