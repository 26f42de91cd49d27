package org.litestream4j.spring;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.litestream4j.ManagedDatabase;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.SmartDataSource;
import org.sqlite.SQLiteConnection;

/** DataSource whose connections the engine sees. It unwraps to its target. */
class ReplicatedDataSource extends DelegatingDataSource {

    private final ManagedDatabase database;
    private final DataSource seen;

    private ReplicatedDataSource(ManagedDatabase database, DataSource target) {
        super(target);
        this.database = database;
        this.seen = database.wrap(target, TransactionDurability.POLICY);
    }

    static ReplicatedDataSource of(ManagedDatabase database, DataSource target) {
        return target instanceof SmartDataSource smart
                ? new Smart(database, smart)
                : new ReplicatedDataSource(database, target);
    }

    /** Returns the database that its connections open. */
    ManagedDatabase database() {
        return database;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return seen.getConnection();
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return seen.getConnection(username, password);
    }

    /** Unwraps to the target, even if the target does not unwrap to itself, as Tomcat's pool. */
    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        DataSource target = obtainTargetDataSource();
        return type.isInstance(target) ? type.cast(target) : super.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(obtainTargetDataSource()) || super.isWrapperFor(type);
    }

    /** DataSource whose connections Spring must not always close. */
    private static final class Smart extends ReplicatedDataSource implements SmartDataSource {

        private final SmartDataSource target;

        Smart(ManagedDatabase database, SmartDataSource target) {
            super(database, target);
            this.target = target;
        }

        @Override
        public boolean shouldClose(Connection connection) {
            try {
                return target.shouldClose(connection.unwrap(SQLiteConnection.class));
            } catch (SQLException e) {
                return true;
            }
        }
    }
}
