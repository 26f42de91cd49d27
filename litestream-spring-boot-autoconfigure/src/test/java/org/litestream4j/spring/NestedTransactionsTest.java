package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.SimpleDriverDataSource;
import org.springframework.transaction.support.TransactionTemplate;

/** Transactions within others, and methods that join one: which of them wait, and when. */
class NestedTransactionsTest extends TransactionDurabilityFixture {

    @Test
    void transactionWithinAnother_waitsAtItsOwnCommit() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            seen.assertWaits(1, () -> seen.nested.readThenNewReplicated());
            assertThat(seen.nested.waitsWithin()).isEqualTo(1);
            seen.assertWaits(0, () -> seen.nested.readReplicatedThenNew());
        });
    }

    /** What the other one does at its end may come much later, or never. */
    @Test
    void commitOfOnesOwn_withinATransactionOfAnotherDatabase_waitsAtOnce() {
        application(REPLICATED).run(context -> {
            SeenWaits seen = new SeenWaits(context);
            DataSource dataSource = context.getBean(DataSource.class);
            DataSource other = new SimpleDriverDataSource(new org.h2.Driver(), "jdbc:h2:mem:other");
            TransactionTemplate template = new TransactionTemplate(new DataSourceTransactionManager(other));
            template.executeWithoutResult(outer -> {
                seen.assertWaits(1, () -> insertAndCommit(dataSource));
                outer.setRollbackOnly();
            });
            seen.assertWaits(1, () -> template.executeWithoutResult(outer -> insertAndCommit(dataSource)));
        });
    }

    private static void insertAndCommit(DataSource dataSource) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.executeUpdate("insert into orders values (1)");
            connection.commit();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void methodThatJoins_hasItsWishHonoured_butCannotOptOut() {
        application().run(context -> {
            SeenWaits seen = new SeenWaits(context);
            seen.assertWaits(1, () -> seen.nested.joinReplicated());
            assertThat(seen.nested.waitsWithin()).isZero();
            seen.assertWaits(1, () -> seen.nested.replicatedJoinAsync());
            seen.assertWaits(0, () -> seen.orders.add());
        });
    }
}
