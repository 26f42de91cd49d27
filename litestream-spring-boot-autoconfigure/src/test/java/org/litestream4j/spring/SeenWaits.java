package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.context.ApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What a test sees of one application: its beans, and which of its commits wait for the replica. */
final class SeenWaits {
    final Orders orders;
    final NestedOrders nested;
    final JdbcClient jdbc;
    final ManagedDatabase database;

    SeenWaits(ApplicationContext context) throws Exception {
        orders = context.getBean(Orders.class);
        nested = context.getBean(NestedOrders.class);
        jdbc = context.getBean(JdbcClient.class);
        database = context.getBean(Litestream.class).databases().iterator().next();
        jdbc.sql("create table if not exists orders (x)").update();
        database.sync(TransactionDurabilityFixture.TIMEOUT);
    }

    /** Commits that have waited, and until now. */
    long waits() {
        return database.statistics().commitWaits().count();
    }

    void assertWaits(int expected, Runnable action) {
        long before = waits();
        action.run();
        assertThat(waits() - before).isEqualTo(expected);
        if (expected > 0) {
            DatabaseStatus status = database.status();
            assertThat(status.replicated()).isEqualTo(status.captured());
        }
    }

    long rows() {
        return jdbc.sql("select count(*) from orders").query(Long.class).single();
    }
}
