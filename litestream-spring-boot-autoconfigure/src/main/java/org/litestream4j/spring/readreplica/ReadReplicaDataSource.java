package org.litestream4j.spring.readreplica;

import java.io.Closeable;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.litestream4j.spring.ReadOnlyDataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Connections to a read replica: a pool, or the connections of the replica if there is no HikariCP. */
final class ReadReplicaDataSource extends DelegatingDataSource implements ReadOnlyDataSource, Closeable {

    private final boolean isPool;

    /** @param isPool whether connections are used again, with the moment that was selected last */
    ReadReplicaDataSource(DataSource target, boolean isPool) {
        super(target);
        this.isPool = isPool;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return atDefaultMoment(super.getConnection());
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return atDefaultMoment(super.getConnection(username, password));
    }

    private Connection atDefaultMoment(Connection connection) throws SQLException {
        if (!isPool) {
            return connection;
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("select litestream_set_time('DEFAULT')");
            return connection;
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        if (getTargetDataSource() instanceof Closeable pool) {
            pool.close();
        }
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(this) ? type.cast(this) : super.unwrap(type);
    }
}
