package org.litestream4j.internal.vfs;

import static org.litestream4j.internal.vfs.NativeBridge.getLong;
import static org.litestream4j.internal.vfs.NativeBridge.string;

import java.io.IOException;
import org.litestream4j.internal.files.SqliteCode;

/** The SQL functions of connections that read a replica. */
final class SqlFunctions {

    /** Value that a callback returns when it ran. */
    private static final int RAN = 1;

    private final SqliteApi api;
    private final OpenFiles files;
    private final long readAnything = string("SELECT 1 FROM main.sqlite_schema LIMIT 1");
    private final long[] names;
    private final int[] arguments;
    private final long[] functions;

    SqlFunctions(CheckedCalls calls, SqliteApi api, OpenFiles files) {
        this.api = api;
        this.files = files;
        long failed = api.address("result_error_nomem");
        names = new long[] {
            string("litestream_txid"),
            string("litestream_time"),
            string("litestream_lag"),
            string("litestream_set_time")
        };
        arguments = new int[] {0, 0, 0, 1};
        functions = new long[] {
            calls.function(reading((context, file, moment) -> api.returnText(context, Moments.txid(file))), failed),
            calls.function(reading((context, file, moment) -> api.returnText(context, Moments.time(file))), failed),
            calls.function(reading((context, file, moment) -> api.returnInteger(context, Moments.lag(file))), failed),
            calls.function(
                    function((context, file, moment) ->
                            api.returnText(context, Moments.select(file, api.text(getLong(moment))))),
                    failed),
        };
    }

    /** Answers a call. */
    @FunctionalInterface
    private interface Answer {
        void give(long context, OpenFile file, long arguments) throws IOException;
    }

    private NativeBridge.PIP function(Answer answer) {
        return (context, count, values) -> {
            try {
                OpenFile file = files.ofConnection(api.connection(context));
                if (file == null) {
                    api.returnError(context, "this connection reads no replica");
                } else {
                    answer.give(context, file, values);
                }
                return RAN;
            } catch (Throwable e) {
                return failed(context, e);
            }
        };
    }

    /**
     * Returns a function that tells about the state that the connection reads. In a transaction that has read nothing yet,
     * that state is not known: the function reads something first.
     */
    private NativeBridge.PIP reading(Answer answer) {
        return function((context, file, arguments) -> {
            long connection = api.connection(context);
            if (!file.isLocked() && api.isInTransaction(connection)) {
                int result = api.run(connection, readAnything);
                if (result != SqliteCode.OK) {
                    api.returnError(context, "the transaction cannot read the replica");
                    api.returnErrorCode(context, result);
                    return;
                }
                if (!file.isLocked()) { // attached
                    throw new IllegalStateException(
                            "this transaction has read nothing of the replica yet; read a table of"
                                    + " the replica first");
                }
            }
            answer.give(context, file, arguments);
        });
    }

    private int failed(long context, Throwable cause) {
        try {
            LastFailure.set(cause);
            api.returnError(context, cause.getMessage() == null ? cause.toString() : cause.getMessage());
            return RAN;
        } catch (Throwable e) {
            return 0;
        }
    }

    /** Adds the functions to a connection, which may have them. */
    void add(long connection) {
        for (int i = 0; i < names.length; i++) {
            api.createFunction(connection, names[i], arguments[i], functions[i]);
        }
    }
}
