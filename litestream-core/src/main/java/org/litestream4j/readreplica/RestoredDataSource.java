package org.litestream4j.readreplica;

import java.sql.Connection;
import java.sql.SQLException;
import org.litestream4j.internal.vfs.ReadReplicaDataSource;

/** Connections to the present one of several restored databases. */
final class RestoredDataSource extends ReadReplicaDataSource {

    private final Opener opener;

    RestoredDataSource(Opener opener) {
        this.opener = opener;
    }

    /** Opens a connection to the present database. */
    @FunctionalInterface
    interface Opener {
        Connection open() throws SQLException;
    }

    @Override
    public Connection getConnection() throws SQLException {
        return opener.open();
    }
}
