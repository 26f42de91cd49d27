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
 * Lets commits wait for the replica as the settings and the labels of transactions say. A commit of a Spring transaction waits
 * in its after-commit phase: what is thrown there reaches the caller, and the transaction counts as committed, which it is.
 */
final class TransactionDurability implements CommitPolicy {

    static final CommitPolicy POLICY = new TransactionDurability();

    /** Of the innermost transactional method. */
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

    /** A method that takes part in the present transaction wants it replicated. */
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

    /** Whether the present transaction has nothing to do with this database, on a connection of the application's own. */
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

    /** Comes first: what others do after a commit, they do when it is replicated. */
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
