package org.litestream4j.spring.readreplica;

import java.io.Closeable;
import java.io.IOException;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.litestream4j.spring.ReadOnlyDataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Connections to a read replica: a pool, or the connections of the replica if there is no HikariCP. */
final class ReadReplicaDataSource extends DelegatingDataSource implements ReadOnlyDataSource, Closeable {

    ReadReplicaDataSource(DataSource target) {
        super(target);
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
