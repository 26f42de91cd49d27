package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.litestream4j.testing.SqliteFixture.execute;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** The ways in which a transaction can end with a commit. */
enum CommitWay {
    STATEMENT {
        @Override
        void commit(Connection connection) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                assertThat(statement.executeUpdate("INSERT INTO t VALUES (1)")).isEqualTo(1);
            }
        }
    },
    PREPARED_STATEMENT {
        @Override
        void commit(Connection connection) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                insert.setInt(1, 1);
                insert.execute();
            }
        }
    },
    BATCH {
        @Override
        void commit(Connection connection) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                for (int i = 0; i < 3; i++) {
                    insert.setInt(1, i);
                    insert.addBatch();
                }
                assertThat(insert.executeBatch()).containsOnly(1);
            }
        }
    },
    RETURNING {
        @Override
        void commit(Connection connection) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (7) RETURNING x");
                    ResultSet rows = insert.executeQuery()) {
                assertThat(rows.getStatement()).isEqualTo(insert);
                assertThat(rows.next()).isTrue();
                assertThat(rows.getInt(1)).isEqualTo(7);
                assertThat(rows.getMetaData().getColumnCount()).isEqualTo(1);
                assertThat(rows.next()).isFalse();
            }
        }
    },
    TRANSACTION {
        @Override
        void commit(Connection connection) throws SQLException {
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO t VALUES (1)");
            connection.commit();
        }
    },
    END_OF_TRANSACTION {
        @Override
        void commit(Connection connection) throws SQLException {
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO t VALUES (1)");
            connection.setAutoCommit(true);
        }
    },
    SQL {
        @Override
        void commit(Connection connection) throws SQLException {
            execute(connection, "BEGIN IMMEDIATE", "INSERT INTO t VALUES (1)", "COMMIT");
        }
    },
    SCHEMA {
        @Override
        void commit(Connection connection) throws SQLException {
            connection.setAutoCommit(false);
            execute(connection, "CREATE TABLE other(x)");
            connection.commit();
        }
    };

    abstract void commit(Connection connection) throws SQLException;
}
