package org.litestream4j.copy;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.litestream4j.copy.CopyException.Reason;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;

/** The files of the target, as listed once and published since. Not thread-safe. */
final class TargetFiles {

    private final ReplicaClient target;
    private final Map<Key, LtxFileInfo> files = new HashMap<>();

    private record Key(int level, LtxFileName name) {
        static Key of(LtxFileInfo file) {
            return new Key(file.level(), file.name());
        }
    }

    private TargetFiles(ReplicaClient target) {
        this.target = target;
    }

    static TargetFiles list(ReplicaClient target) throws IOException {
        TargetFiles files = new TargetFiles(target);
        target.listAll(ReplicaClient.FROM_THE_FIRST, file -> {
            files.published(file);
            return true;
        });
        return files;
    }

    void published(LtxFileInfo file) {
        files.put(Key.of(file), file);
    }

    boolean contains(LtxFileInfo file) {
        return files.containsKey(Key.of(file));
    }

    /** Returns the files, in the order given, that the target lacks. */
    List<LtxFileInfo> missing(Collection<LtxFileInfo> wanted) {
        return wanted.stream().filter(file -> !contains(file)).toList();
    }

    /** Returns the files of the target that are not among those of the source. */
    List<LtxFileInfo> notIn(Collection<LtxFileInfo> source) {
        Map<Key, LtxFileInfo> extra = new HashMap<>(files);
        source.forEach(file -> extra.remove(Key.of(file)));
        return new ArrayList<>(extra.values());
    }

    /**
     * Checks that the target has no files of another history. The newest file that both have is compared by its header and
     * its trailer, which contain its time and the checksum of its content; all others that both have, by size.
     *
     * @param source all files of the source
     * @throws CopyException if the target is not a copy of the source
     */
    void requireCopyOf(ReplicaClient client, List<LtxFileInfo> source) throws IOException {
        if (files.isEmpty()) {
            return;
        }
        List<LtxFileInfo> common = source.stream().filter(this::contains).toList();
        for (LtxFileInfo file : common) {
            LtxFileInfo copy = files.get(Key.of(file));
            if (copy != null && copy.size() != file.size()) {
                throw different(file, copy.size() + " bytes, at the source " + file.size());
            }
        }
        Txid newest = newest(source);
        Txid newestHere = newest(files.values());
        if (newestHere.isAfter(newest)) {
            throw new CopyException(
                    Reason.AHEAD,
                    target.url(),
                    "the target is at TXID " + newestHere + ", the source only at " + newest
                            + ": another program replicates to the target, or the source was begun anew or set back",
                    "copy to an empty target",
                    null);
        }
        LtxFileInfo last =
                common.stream().max(Comparator.comparing(LtxFileInfo::maxTxid)).orElse(null);
        if (last == null) {
            throw new CopyException(
                    Reason.UNRELATED,
                    target.url(),
                    "the target contains " + files.size() + " files, none of which is in the source: it is a copy of"
                            + " another replica, or so old that the source has deleted all of its files",
                    "check both URLs, or copy to an empty target",
                    null);
        }
        if (!Arrays.equals(ends(client, last), ends(target, last))) {
            throw different(last, "other content");
        }
    }

    private CopyException different(LtxFileInfo file, String difference) {
        return new CopyException(
                Reason.DIFFERENT,
                target.url(),
                "the file " + file.level() + "/" + file.name() + " of the target has " + difference
                        + ": the two replicas have different histories, or the file is damaged",
                "compare both with a deep validation; copy to an empty target",
                null);
    }

    private static byte[] ends(ReplicaClient client, LtxFileInfo file) throws IOException {
        byte[] ends = new byte[LtxHeader.SIZE + LtxTrailer.SIZE];
        long trailer = Math.max(0, file.size() - LtxTrailer.SIZE);
        try (InputStream in = client.open(file.level(), file.name(), 0, LtxHeader.SIZE)) {
            in.readNBytes(ends, 0, LtxHeader.SIZE);
        }
        try (InputStream in = client.open(file.level(), file.name(), trailer, LtxTrailer.SIZE)) {
            in.readNBytes(ends, LtxHeader.SIZE, LtxTrailer.SIZE);
        }
        return ends;
    }

    private static Txid newest(Collection<LtxFileInfo> files) {
        return files.stream().map(LtxFileInfo::maxTxid).reduce(Txid.NONE, Txid::max);
    }
}
