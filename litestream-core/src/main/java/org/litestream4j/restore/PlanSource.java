package org.litestream4j.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.replica.FileVersion;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.StopSignal;

/**
 * A planned file and its source.
 *
 * @param client client of the replica or of the local state
 * @param label name for messages
 * @param version version of the file, shared by all its parts
 */
record PlanSource(ReplicaClient client, LtxFileInfo info, String label, FileVersion version) {

    PlanSource(ReplicaClient client, LtxFileInfo info, String label) {
        this(client, info, label, new FileVersion());
    }

    /** Returns the sources of a plan, in the order of their transactions. */
    static List<PlanSource> of(RestorePlan plan, ReplicaClient replica, ReplicaClient local) {
        List<PlanSource> sources = new ArrayList<>();
        for (LtxFileInfo file : plan.files()) {
            sources.add(new PlanSource(replica, file, label(file)));
        }
        for (LtxFileInfo file : plan.localFiles()) {
            sources.add(new PlanSource(local, file, local.url() + " " + file.level() + "/" + file.name()));
        }
        return sources;
    }

    /** Returns the name of a replica's file for messages. */
    static String label(LtxFileInfo file) {
        return file.level() + "/" + file.name();
    }

    ResumingInputStream open(long offset, long length, StopSignal stop, RestoreCounters counters) {
        ResumingInputStream.ReadControl reader = new ResumingInputStream.ReadControl() {
            @Override
            public void check() throws IOException {
                stop.check();
            }

            @Override
            public void pause(long millis) {
                stop.pause(millis);
            }

            @Override
            public void read(int count) {
                counters.bytesRead.addAndGet(count);
            }
        };
        return new ResumingInputStream(client, info, label, offset, length, reader, version);
    }

    /** Reads a part that fits into memory. */
    byte[] read(long offset, int length, StopSignal stop, RestoreCounters counters) throws IOException {
        try (ResumingInputStream in = open(offset, length, stop, counters)) {
            return in.readNBytes(length);
        }
    }
}
