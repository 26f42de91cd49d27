package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.ReplicaLocation;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Role;
import org.springframework.core.SpringProperties;
import org.sqlite.SQLiteDataSource;

/**
 * A start of the application that only records classes or generates code: AOT processing, and a training run with
 * {@code spring.context.exit=onRefresh}. Nothing is restored, no database file is opened, and no request is sent to a
 * replica. An empty database in memory takes the place of each replicated one.
 *
 * <p>Decided once per context, when the context begins to create its beans. Neither AOT processing nor a training run
 * starts the lifecycle beans of a context. A context that starts them is about to work with the databases in memory,
 * whose content would be lost; its start fails. Immutable and thread-safe.
 */
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
public final class TrainingRun implements SmartLifecycle {

    private static final Map<Path, Memory> MEMORY = new ConcurrentHashMap<>();
    private static final AtomicInteger NUMBERS = new AtomicInteger();

    private final boolean active;

    TrainingRun() {
        this.active = "onRefresh".equalsIgnoreCase(SpringProperties.getProperty("spring.context.exit"))
                || SpringProperties.getFlag("spring.aot.processing");
    }

    /** Returns whether this context belongs to a training run or to AOT processing. */
    public boolean isActive() {
        return active;
    }

    /** @throws LitestreamSettingException if the databases of this context are those of a training run */
    @Override
    public void start() {
        if (active) {
            throw new LitestreamSettingException(
                    "This context was created for a training run or for AOT processing (spring.context.exit=onRefresh or"
                            + " spring.aot.processing=true): its databases are empty ones in memory, and nothing is"
                            + " replicated. The application must not run with them.",
                    "Remove these properties from the command line, the environment and spring.properties. If a bean"
                            + " lifecycleProcessor of the application ignores spring.context.exit, remove the bean for the"
                            + " training run.");
        }
    }

    @Override
    public void stop() {
        // nothing was started
    }

    @Override
    public boolean isRunning() {
        return false;
    }

    /** Before all others: nothing has served a request yet. */
    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** Returns connections to an empty database in memory that stands for the database in a file. */
    static DataSource inMemory(Path file) {
        return MEMORY.computeIfAbsent(file, unused -> Memory.open()).dataSource;
    }

    /**
     * Creates a replica of an empty database.
     *
     * @param folder folder for the replica and the database; is created
     */
    public static ReplicaLocation emptyReplica(Path folder) throws IOException {
        Files.createDirectories(folder);
        ReplicaLocation location =
                ReplicaLocation.of(folder.resolve("replica").toUri().toString());
        Path file = folder.resolve("empty.db");
        SQLiteDataSource dataSource = new SQLiteDataSource();
        dataSource.setUrl("jdbc:sqlite:" + file);
        try (Litestream litestream = Litestream.builder().build()) {
            DataSource replicated = litestream
                    .register(DatabaseConfig.builder(file, location).build())
                    .wrap(dataSource);
            try (Connection connection = replicated.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.executeUpdate("pragma user_version = 1"); // one transaction
            }
        } catch (SQLException e) {
            throw new IOException("SQLite cannot create a database in " + folder, e);
        }
        return location;
    }

    /** The open connection keeps the database in memory until the process ends. */
    private record Memory(DataSource dataSource, Connection keeper) {

        static Memory open() {
            SQLiteDataSource dataSource = new SQLiteDataSource();
            dataSource.setUrl(
                    "jdbc:sqlite:file:litestream-training-" + NUMBERS.incrementAndGet() + "?mode=memory&cache=shared");
            try {
                return new Memory(dataSource, dataSource.getConnection());
            } catch (SQLException e) {
                throw new IllegalStateException("SQLite cannot open a database in memory", e);
            }
        }
    }
}
