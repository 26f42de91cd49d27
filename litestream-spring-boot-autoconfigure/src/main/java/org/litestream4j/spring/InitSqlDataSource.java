package org.litestream4j.spring;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * Runs a pool's {@code connection-init-sql} before the engine's pragmas: {@code auto_vacuum} and {@code page_size} take
 * effect only before the journal mode is written to a new file.
 */
final class InitSqlDataSource extends DelegatingDataSource {

    private final String sql;

    InitSqlDataSource(DataSource target, String sql) {
        super(target);
        this.sql = sql;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return initialize(super.getConnection());
    }

    @Override
    public Connection getConnection(String username, String password) throws SQLException {
        return initialize(super.getConnection(username, password));
    }

    private Connection initialize(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
            return connection;
        } catch (SQLException e) {
            try {
                connection.close();
            } catch (SQLException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }
}
