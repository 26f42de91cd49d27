package org.litestream4j.spring;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.litestream4j.ManagedDatabase;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Hands out connections that the engine has seen; unwraps to what it stands for. */
final class ReplicatedDataSource extends DelegatingDataSource {

    private final DataSource seen;

    ReplicatedDataSource(ManagedDatabase database, DataSource target) {
        super(target);
        this.seen = database.wrap(target, TransactionDurability.POLICY);
    }

    @Override
    public Connection getConnection() throws SQLException {
        return seen.getConnection();
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return seen.getConnection(username, password);
    }

    /** Also where the target does not unwrap to itself, as Tomcat's pool. */
    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        DataSource target = obtainTargetDataSource();
        return type.isInstance(target) ? type.cast(target) : super.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(obtainTargetDataSource()) || super.isWrapperFor(type);
    }
}
