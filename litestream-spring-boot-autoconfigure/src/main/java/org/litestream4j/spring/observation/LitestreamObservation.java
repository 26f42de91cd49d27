package org.litestream4j.spring.observation;

import io.micrometer.common.docs.KeyName;
import io.micrometer.observation.docs.ObservationDocumentation;
import java.util.Locale;
import org.litestream4j.LitestreamOperation;

/** The observations of replication and their keys, for tools that read such documentation. */
public enum LitestreamObservation implements ObservationDocumentation {
    /** Committed changes are captured from the WAL to a local level-0 file. */
    SYNC(LitestreamOperation.Kind.SYNC),
    /** A file is uploaded to the replica. */
    UPLOAD(LitestreamOperation.Kind.UPLOAD),
    /** Files of the replica are merged into one file of a higher level. */
    COMPACTION(LitestreamOperation.Kind.COMPACTION),
    /** The database is restored. */
    RESTORE(LitestreamOperation.Kind.RESTORE),
    /** A commit or a caller waits for the replica. */
    COMMIT_WAIT(LitestreamOperation.Kind.COMMIT_WAIT);

    private final LitestreamOperation.Kind kind;

    LitestreamObservation(LitestreamOperation.Kind kind) {
        this.kind = kind;
    }

    static LitestreamObservation of(LitestreamOperation.Kind kind) {
        return valueOf(kind.name());
    }

    @Override
    public String getName() {
        return "litestream.operation." + lower().replace('_', '.');
    }

    @Override
    public String getContextualName() {
        return "litestream " + lower().replace('_', ' ');
    }

    private String lower() {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public KeyName[] getLowCardinalityKeyNames() {
        return kind == LitestreamOperation.Kind.UPLOAD || kind == LitestreamOperation.Kind.COMPACTION
                ? LowCardinality.values()
                : new KeyName[] {LowCardinality.DATABASE};
    }

    @Override
    public KeyName[] getHighCardinalityKeyNames() {
        return kind == LitestreamOperation.Kind.SYNC || kind == LitestreamOperation.Kind.COMMIT_WAIT
                ? new KeyName[] {HighCardinality.TXID}
                : HighCardinality.values();
    }

    /** Keys with few values. */
    public enum LowCardinality implements KeyName {
        /** Name of the database. */
        DATABASE,
        /** Level of the written file. */
        LEVEL;

        @Override
        public String asString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Keys whose values differ for each observation. */
    public enum HighCardinality implements KeyName {
        /** Newest transaction of the operation. */
        TXID,
        /** Size of the written content, or of the content read by a restore. */
        BYTES;

        @Override
        public String asString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
