package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.pages.CopyJournal.Block;

/**
 * The blocks of the files of a state, and which of them are written. The same file always has the same blocks. Thread-safe.
 */
final class Blocks implements Predicate<PageLocation> {

    private static final long LEAST = 256 << 10;

    private static final long MOST = 4 << 20;

    private static final int PER_FILE = 16;

    private final State state;
    private final List<Block> blocks = new ArrayList<>();

    /** Number of the first block of each file. */
    private final Map<ReplicaFile, Integer> first = new HashMap<>();

    private final Map<String, ReplicaFile> byIdentity = new HashMap<>();

    /** What was written; null for blocks that are not. */
    private final AtomicReferenceArray<CopyJournal.@Nullable Entry> done;

    private final AtomicLong bytesDone = new AtomicLong();
    private final long bytes;

    Blocks(State state) {
        this.state = state;
        long all = 0;
        for (ReplicaFile file : state.files()) {
            first.put(file, blocks.size());
            byIdentity.put(CopyJournal.identity(file), file);
            divide(file);
            all += file.info().size();
        }
        bytes = all;
        done = new AtomicReferenceArray<>(blocks.size());
    }

    private void divide(ReplicaFile file) {
        long size = Math.min(MOST, Math.max(LEAST, file.info().size() / PER_FILE));
        int from = 0;
        for (int entry = 0; entry < file.index().size(); entry++) {
            if (file.end(entry) - file.index().offset(from) >= size
                    || entry + 1 == file.index().size()) {
                blocks.add(new Block(blocks.size(), file, from, entry + 1));
                from = entry + 1;
            }
        }
    }

    int count() {
        return blocks.size();
    }

    Block block(int number) {
        return blocks.get(number);
    }

    /** Returns the block of an entry of a journal; null if no file of the state has it. */
    @Nullable
    Block find(CopyJournal.Entry entry) {
        ReplicaFile file = byIdentity.get(entry.file());
        if (file == null || entry.from() >= file.index().size()) {
            return null;
        }
        Block block = blocks.get(number(file, entry.from()));
        return block.from() == entry.from() && block.to() == entry.to() ? block : null;
    }

    /** Returns the entries of a block, from 0, that are pages of the state. */
    BitSet placed(Block block) {
        BitSet placed = new BitSet();
        for (int entry = block.from(); entry < block.to(); entry++) {
            long pgno = block.file().index().pgno(entry);
            PageLocation place = pgno > state.commit() ? null : state.layers().find(pgno);
            if (place != null && place.entry() == entry && place.file().equals(block.file())) {
                placed.set(entry - block.from());
            }
        }
        return placed;
    }

    private int number(ReplicaFile file, int entry) {
        int low = requireNonNull(first.get(file));
        int high = low;
        while (high < blocks.size() && blocks.get(high).file().equals(file)) {
            high = Math.min(blocks.size(), high + Math.max(1, high - low));
        }
        high = Math.min(high, blocks.size()) - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            Block block = blocks.get(middle);
            if (block.file().equals(file) && block.from() <= entry) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    boolean isDone(int number) {
        return done.get(number) != null;
    }

    /** Makes the pages of a block readable. */
    void finish(int number, CopyJournal.Entry entry) {
        Block block = blocks.get(number);
        bytesDone.addAndGet(
                block.file().end(block.to() - 1) - block.file().index().offset(block.from()));
        done.set(number, entry);
    }

    CopyJournal.Entry entry(int number) {
        return requireNonNull(done.get(number), "block");
    }

    /** Returns whether a page of the state is written. */
    @Override
    public boolean test(PageLocation place) {
        return isDone(number(place.file(), place.entry()));
    }

    long bytesDone() {
        return bytesDone.get();
    }

    long bytes() {
        return bytes;
    }
}
