package org.litestream4j.readreplica;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.litestream4j.restore.RestoreTarget;

/**
 * The restored databases of fixed moments: those used last stay on disk, the others are restored again when a connection is
 * opened. Thread-safe.
 */
final class RestoredMoments {

    static final int MAX_FILES = 8;

    private final String name;
    private final Restorer restorer;

    /** The one that was used least recently is the first. */
    @GuardedBy("this")
    private final Map<RestoreTarget, RestoredFile> files = new LinkedHashMap<>(16, 0.75f, true);

    @GuardedBy("this")
    private boolean isClosed;

    /** @param name name of the read replica, for messages */
    RestoredMoments(String name, Restorer restorer) {
        this.name = name;
        this.restorer = restorer;
    }

    /** Restores a state to a new file. */
    @FunctionalInterface
    interface Restorer {
        RestoredFile restore(RestoreTarget target) throws IOException;
    }

    /** Uses a file, which is not deleted meanwhile. */
    @FunctionalInterface
    private interface Use<T> {
        T of(RestoredFile file) throws SQLException;
    }

    /** Returns connections to a state, which is restored now unless its file is on disk. */
    DataSource open(RestoreTarget target) throws IOException {
        RestoredFile first;
        try {
            first = use(target, file -> file);
        } catch (SQLException e) {
            throw new IOException(e.getMessage(), e);
        }
        return new RestoredDataSource(() -> connect(target, first));
    }

    private Connection connect(RestoreTarget target, RestoredFile first) throws SQLException {
        try {
            return use(target, file -> {
                if (!file.hasStateOf(first)) {
                    throw new SQLException("the replica has changed: " + target + " now leads to TXID " + file.txid()
                            + " of " + file.timestamp() + " instead of TXID " + first.txid() + " of "
                            + first.timestamp() + "; call ReadReplica.asOf again");
                }
                return file.connect();
            });
        } catch (IOException e) {
            throw new SQLException("cannot restore " + target + " again: " + e.getMessage(), e);
        }
    }

    private <T> T use(RestoreTarget target, Use<T> use) throws IOException, SQLException {
        while (true) {
            synchronized (this) {
                if (isClosed) {
                    throw new SQLException("the read replica " + name + " is closed");
                }
                RestoredFile file = files.get(target);
                if (file != null) {
                    return use.of(file);
                }
            }
            add(target, restorer.restore(target));
        }
    }

    private synchronized void add(RestoreTarget target, RestoredFile file) {
        if (isClosed || files.containsKey(target)) {
            file.delete();
            return;
        }
        files.put(target, file);
        if (files.size() > MAX_FILES) {
            Iterator<RestoredFile> eldest = files.values().iterator();
            eldest.next().delete();
            eldest.remove();
        }
    }

    /** Deletes the files. */
    synchronized void close() {
        isClosed = true;
        files.values().forEach(RestoredFile::delete);
        files.clear();
    }
}
