package org.litestream4j.spring;

import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.CommitPolicy;
import org.litestream4j.Durability;
import org.litestream4j.ManagedDatabase;
import org.springframework.core.Ordered;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Makes commits wait for the replica according to the settings and the labels of transactions. A commit of a Spring
 * transaction waits in its after-commit phase: an exception thrown there reaches the caller, while the transaction
 * remains committed.
 */
final class TransactionDurability implements CommitPolicy {

    static final CommitPolicy POLICY = new TransactionDurability();

    /** Label of the innermost transactional method. */
    private static final ThreadLocal<@Nullable Durability> LABEL = new ThreadLocal<>();

    private TransactionDurability() {}

    static @Nullable Durability label() {
        return LABEL.get();
    }

    static void label(@Nullable Durability value) {
        if (value == null) {
            LABEL.remove();
        } else {
            LABEL.set(value);
        }
    }

    /** Records that a method in the current transaction requires its replication. */
    static void demand() {
        if (!isDemanded()) {
            TransactionSynchronizationManager.registerSynchronization(new Demand());
        }
    }

    private static boolean isDemanded() {
        return TransactionSynchronizationManager.isSynchronizationActive()
                && TransactionSynchronizationManager.getSynchronizations().stream()
                        .anyMatch(Demand.class::isInstance);
    }

    @Override
    public boolean isReplicated(ManagedDatabase database) {
        if (isDemanded()) {
            return true;
        }
        Durability label = LABEL.get();
        return (label != null ? label : database.config().durability()) == Durability.REPLICATED;
    }

    @Override
    public void committed(ManagedDatabase database, boolean autoCommit) {
        AfterCommit wait = new AfterCommit(database);
        if (!autoCommit && TransactionSynchronizationManager.isActualTransactionActive() && !isOnlyOfOthers(database)) {
            TransactionSynchronizationManager.registerSynchronization(wait);
        } else {
            wait.afterCommit();
        }
    }

    /**
     * Returns whether the current transaction does not involve this database, which the application uses through a
     * separate connection.
     */
    private static boolean isOnlyOfOthers(ManagedDatabase database) {
        List<DataSource> dataSources = TransactionSynchronizationManager.getResourceMap().keySet().stream()
                .filter(DataSource.class::isInstance)
                .map(DataSource.class::cast)
                .toList();
        return !dataSources.isEmpty() && dataSources.stream().allMatch(dataSource -> isOfAnother(database, dataSource));
    }

    private static boolean isOfAnother(ManagedDatabase database, DataSource dataSource) {
        Optional<ReplicatedDataSource> replicated = DataSourceChain.replicated(dataSource);
        return replicated.isPresent()
                ? replicated.get().database() != database
                : DataSourceUrls.url(dataSource)
                        .filter(url -> ReplicatedDatabases.path(url)
                                .filter(path ->
                                        DatabaseFiles.same(database.config().path(), path))
                                .isEmpty())
                        .isPresent();
    }

    private static final class Demand implements TransactionSynchronization {}

    /** Runs first, so that other after-commit actions run after the replication. */
    private record AfterCommit(ManagedDatabase database) implements TransactionSynchronization, Ordered {

        @Override
        public void afterCommit() {
            database.awaitReplicated(database.config().durabilityTimeout());
        }

        @Override
        public int getOrder() {
            return Ordered.HIGHEST_PRECEDENCE;
        }
    }
}
