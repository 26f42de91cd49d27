package org.litestream4j.compaction;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaConflictException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;

/** A replica in memory that counts requests: for tests with many files. */
final class MemoryReplica implements ReplicaClient {

    private static final class Stored {
        private final byte[] content;
        private final Instant timestamp;

        Stored(byte[] content, Instant timestamp) {
            this.content = content;
            this.timestamp = timestamp;
        }

        byte[] content() {
            return content;
        }

        Instant timestamp() {
            return timestamp;
        }
    }

    private final List<TreeMap<LtxFileName, Stored>> levels = new ArrayList<>();

    final TreeMap<String, byte[]> marks = new TreeMap<>();

    long lists;
    long markLists;
    long gets;
    long puts;
    long putBytes;
    long deletes;

    MemoryReplica() {
        for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
            levels.add(new TreeMap<>());
        }
    }

    long requests() {
        return lists + gets + puts + deletes;
    }

    List<LtxFileName> names(int level) {
        return List.copyOf(levels.get(level).keySet());
    }

    long files() {
        return levels.stream().mapToLong(Map::size).sum();
    }

    long bytes() {
        return levels.stream()
                .flatMap(level -> level.values().stream())
                .mapToLong(file -> file.content().length)
                .sum();
    }

    /** Flips a bit. */
    void damage(int level, LtxFileName name, int offset) {
        levels.get(level).get(name).content()[offset] ^= 1;
    }

    void remove(int level, LtxFileName name) {
        levels.get(level).remove(name);
    }

    List<LtxFileInfo> all() {
        List<LtxFileInfo> all = new ArrayList<>();
        for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
            for (var file : levels.get(level).entrySet()) {
                all.add(info(level, file.getKey(), file.getValue()));
            }
        }
        return all;
    }

    private static LtxFileInfo info(int level, LtxFileName name, Stored file) {
        return new LtxFileInfo(level, name, file.content().length, file.timestamp(), true);
    }

    @Override
    public String url() {
        return "memory://";
    }

    @Override
    public void prepare() {}

    @Override
    public void list(int level, Txid from, Visitor visitor) throws java.io.IOException {
        lists++;
        for (var file : List.copyOf(levels.get(level).entrySet())) {
            if (!file.getKey().min().isBefore(from) && !visitor.visit(info(level, file.getKey(), file.getValue()))) {
                return;
            }
        }
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws ReplicaException {
        gets++;
        Stored file = levels.get(level).get(name);
        if (file == null) {
            throw new ReplicaFileNotFoundException(url(), "no file " + name + " in level " + level, "", null);
        }
        int end = length == TO_END ? file.content().length : (int) Math.min(file.content().length, offset + length);
        return new OpenedFile(
                new ByteArrayInputStream(file.content(), (int) offset, end - (int) offset), OptionalLong.empty());
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        return new ReplicaUpload() {
            @Override
            public void write(int value) {
                content.write(value);
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                content.write(bytes, offset, length);
            }

            @Override
            public LtxFileInfo publish() throws ReplicaConflictException {
                puts++;
                putBytes += content.size();
                Stored file = new Stored(content.toByteArray(), timestamp);
                Stored there = levels.get(level).putIfAbsent(name, file);
                if (there != null && !Arrays.equals(there.content(), file.content())) {
                    throw new ReplicaConflictException(url(), name + " exists with other content", "", null);
                }
                return info(level, name, file);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) {
        deletes++;
        names.forEach(levels.get(level)::remove);
    }

    @Override
    public Optional<MarkStore> marks() {
        return Optional.of(new MarkStore() {
            @Override
            public List<Stored> list() {
                markLists++;
                List<Stored> all = new ArrayList<>();
                marks.forEach((name, content) -> all.add(new Stored(name, Integer.toString(Arrays.hashCode(content)))));
                return all;
            }

            @Override
            public Optional<byte[]> read(String name) {
                return Optional.ofNullable(marks.get(name));
            }

            @Override
            public boolean create(String name, byte[] content) {
                return marks.putIfAbsent(name, content) == null;
            }

            @Override
            public boolean remove(String name) {
                return marks.remove(name) != null;
            }
        });
    }

    @Override
    public void close() {}
}
