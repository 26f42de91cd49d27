package org.litestream4j.internal.pages;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.restore.RestoreTarget;

/**
 * Remembers the last listing of all files for a short time, so that several moments of the past take one listing. A moment
 * that is planned from it is as one that was opened when the replica was listed. Thread-safe.
 */
final class Listings {

    private static final long KEPT_NANOS = Duration.ofMinutes(1).toNanos();

    private final ReadOnlyReplica replica;

    /** A listing of all files, and when it began. */
    private record Known(List<LtxFileInfo> files, long at) {}

    private volatile @Nullable Known last;

    Listings(ReadOnlyReplica replica) {
        this.replica = replica;
    }

    /** Returns the replica; its next listing may be the remembered one if that contains what leads to the target. */
    ReplicaClient remembering(RestoreTarget target) {
        Known known = last;
        boolean usable =
                known != null && System.nanoTime() - known.at() < KEPT_NANOS && contains(known.files(), target);
        return new Remembering(usable && known != null ? known.files() : null);
    }

    /** Returns the replica; its listings are remembered. */
    ReplicaClient fresh() {
        return new Remembering(null);
    }

    /** Returns whether files that are not listed come after the target. Files appear in the order of their transactions. */
    private static boolean contains(List<LtxFileInfo> files, RestoreTarget target) {
        if (target instanceof RestoreTarget.AtTxid at) {
            return files.stream().anyMatch(file -> !file.maxTxid().isBefore(at.txid()));
        }
        if (target instanceof RestoreTarget.AtTimestamp at) { // merged files may be listed without their last input
            return files.stream()
                    .anyMatch(file -> file.level() == 0
                            && file.exact()
                            && file.timestamp().isAfter(at.timestamp()));
        }
        return false;
    }

    private final class Remembering implements ReplicaClient {

        /** What the next listing returns; null for a request. */
        private @Nullable List<LtxFileInfo> remembered;

        Remembering(@Nullable List<LtxFileInfo> remembered) {
            this.remembered = remembered;
        }

        @Override
        public void listAll(List<Txid> from, Visitor visitor) throws IOException {
            List<LtxFileInfo> known = remembered;
            remembered = null;
            if (known == null) {
                known = new ArrayList<>();
                long begun = System.nanoTime();
                replica.listAll(from, known::add);
                last = from.equals(FROM_THE_FIRST) ? new Known(List.copyOf(known), begun) : last;
            }
            for (LtxFileInfo file : known) {
                if (!visitor.visit(file)) {
                    return;
                }
            }
        }

        @Override
        public String url() {
            return replica.url();
        }

        @Override
        public void prepare() {
            replica.prepare();
        }

        @Override
        public void list(int level, Txid from, Visitor visitor) throws IOException {
            replica.list(level, from, visitor);
        }

        @Override
        public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
            return replica.openFile(level, name, offset, length);
        }

        @Override
        public Instant timestamp(LtxFileInfo file) throws IOException {
            return replica.timestamp(file);
        }

        @Override
        public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
            return replica.write(level, name, timestamp, databaseChecksum);
        }

        @Override
        public void delete(int level, Collection<LtxFileName> names) {
            replica.delete(level, names);
        }

        @Override
        public Optional<MarkStore> marks() {
            return replica.marks();
        }

        /** Leaves the replica open. */
        @Override
        public void close() {}
    }
}
