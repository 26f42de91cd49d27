package org.litestream4j.internal.engine;

import java.io.IOException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamListener;
import org.litestream4j.LitestreamOperation;
import org.litestream4j.LitestreamOperation.End;
import org.litestream4j.LitestreamOperation.Kind;
import org.litestream4j.LitestreamOperation.Outcome;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreResult;

/** Reports the operations of one database to a listener. Thread-safe. */
final class OperationReports {

    private final String database;
    private final LitestreamListener listener;

    /** @param listener listener, which must not throw */
    OperationReports(String database, LitestreamListener listener) {
        this.database = database;
        this.listener = listener;
    }

    @FunctionalInterface
    interface Work<T extends @Nullable Object, E extends Exception> {
        T run() throws E;
    }

    /** @param outcome returns the outcome for the result of the work */
    <T extends @Nullable Object, E extends Exception> T observe(
            Kind kind, int level, Function<T, Outcome> outcome, Work<T, E> work) throws E {
        End end = listener.onBegin(new LitestreamOperation(kind, database, level));
        if (end == null) {
            return work.run();
        }
        Outcome ended = Outcome.NOTHING;
        try {
            T result = work.run();
            ended = outcome.apply(result);
            return result;
        } catch (Throwable e) {
            ended = new Outcome(Txid.NONE, 0, e);
            throw e;
        } finally {
            end.onEnd(ended);
        }
    }

    /** @param job returns null if there is nothing to restore, which is not a failure */
    <T extends @Nullable RestoreResult> T restore(Work<T, IOException> job) throws IOException {
        return observe(
                Kind.RESTORE,
                LitestreamOperation.NO_LEVEL,
                result -> result == null ? Outcome.NOTHING : Outcome.succeeded(result.txid(), result.bytesRead()),
                job);
    }
}
