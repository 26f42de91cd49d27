package org.litestream4j.benchmarks;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.DelegatingReplica;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaUpload;

/** Another replica, and the requests that the S3 client would send for what is asked of it. Not thread-safe. */
final class CountingReplica extends DelegatingReplica {

    /** Default part size of the S3 client: up to it a file is one request. */
    private static final long PART_SIZE = 5L << 20;

    /** Keys in one page of a listing, and in one bulk delete. */
    private static final long PAGE = 1000;

    private final ReplicaClient replica;
    private final List<NavigableMap<LtxFileName, Long>> sizes = new ArrayList<>();

    long puts;
    long lists;
    long gets;
    long deletes;
    long storedBytes;

    CountingReplica(ReplicaClient replica) {
        super(replica);
        this.replica = replica;
        for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
            sizes.add(new TreeMap<>());
        }
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        long[] visited = {0};
        super.list(level, from, file -> {
            visited[0]++;
            return visitor.visit(file);
        });
        lists += Math.max(1, pages(visited[0]));
    }

    /** A page of a listing continues with the next level; a page that ends before the wanted files is followed by a jump. */
    @Override
    public void listAll(List<Txid> from, Visitor visitor) throws IOException {
        replica.listAll(from, visitor);
        List<Key> keys = new ArrayList<>();
        for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
            for (LtxFileName name : sizes.get(level).keySet()) {
                keys.add(new Key(level, name));
            }
        }
        int next = next(keys, 0, 0, from.get(0));
        do {
            lists++;
            next += (int) PAGE;
            if (next < keys.size()) {
                int level = keys.get(next - 1).level();
                next = next(keys, next, level, from.get(level));
            }
        } while (next < keys.size());
    }

    private record Key(int level, LtxFileName name) {}

    /** The first of a level that begins at a transaction, or what follows the level. */
    private static int next(List<Key> keys, int start, int level, Txid from) {
        int next = start;
        while (next < keys.size()
                && keys.get(next).level() == level
                && keys.get(next).name().min().isBefore(from)) {
            next++;
        }
        return next;
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        gets++;
        return super.openFile(level, name, offset, length);
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        return new Upload(super.write(level, name, timestamp, databaseChecksum)) {
            @Override
            public LtxFileInfo publish() throws IOException {
                LtxFileInfo file = super.publish();
                long parts = (file.size() + PART_SIZE - 1) / PART_SIZE;
                puts += parts <= 1 ? 1 : parts + 2; // begin, parts, complete
                if (sizes.get(level).put(file.name(), file.size()) == null) {
                    storedBytes += file.size();
                }
                return file;
            }
        };
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        deletes += pages(names.size());
        super.delete(level, names);
        for (LtxFileName name : names) {
            Long size = sizes.get(level).remove(name);
            storedBytes -= size != null ? size : 0;
        }
    }

    private static long pages(long keys) {
        return (keys + PAGE - 1) / PAGE;
    }
}
