package org.litestream4j.internal.pages;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxPageIndex;

/**
 * Where the newest version of each page of a state is. A large file is searched in its own index; small adjacent ones
 * are merged, so that the number of searches grows with the logarithm of the number of files. Immutable.
 */
final class PageMap {

    /** Number of pages from which a layer is not merged any more. */
    private static final int LARGE = 1 << 20;

    /** Newest first. */
    private final List<Layer> layers;

    private PageMap(List<Layer> layers) {
        this.layers = layers;
    }

    /** @param files in the order of their transactions */
    static PageMap of(List<ReplicaFile> files) {
        PageMap layers = new PageMap(List.of());
        for (ReplicaFile file : files) {
            layers = layers.with(file);
        }
        return layers;
    }

    /** Returns these layers below a newer file. */
    PageMap with(ReplicaFile newer) {
        Layer top = new FileLayer(newer);
        int merged = 0;
        while (merged < layers.size() && isMergeable(top, layers.get(merged))) {
            top = MergedLayer.of(top, layers.get(merged));
            merged++;
        }
        List<Layer> result = new ArrayList<>();
        result.add(top);
        result.addAll(layers.subList(merged, layers.size()));
        return new PageMap(Collections.unmodifiableList(result));
    }

    private static boolean isMergeable(Layer newer, Layer older) {
        return older.size() <= 2L * newer.size() && (long) older.size() + newer.size() <= LARGE;
    }

    /** Returns the place of the newest version of a page; null if no file contains it. */
    @Nullable
    PageLocation find(long pgno) {
        for (Layer layer : layers) {
            int at = layer.find(pgno);
            if (at >= 0) {
                return new PageLocation(layer.file(at), layer.entry(at));
            }
        }
        return null;
    }

    /** Pages in the order of their numbers. */
    private interface Layer {

        int size();

        long pgno(int at);

        ReplicaFile file(int at);

        int entry(int at);

        /** Returns a negative number if the page is not in this layer. */
        int find(long pgno);
    }

    private record FileLayer(ReplicaFile file) implements Layer {

        private LtxPageIndex index() {
            return file.index();
        }

        @Override
        public int size() {
            return index().size();
        }

        @Override
        public long pgno(int at) {
            return index().pgno(at);
        }

        @Override
        public ReplicaFile file(int at) {
            return file;
        }

        @Override
        public int entry(int at) {
            return at;
        }

        @Override
        public int find(long pgno) {
            for (int skipped = 1; skipped <= 2; skipped++) { // in a snapshot, only the lock page is missing
                int guess = (int) Math.min(Integer.MAX_VALUE, pgno - skipped);
                if (guess >= 0 && guess < size() && pgno(guess) == pgno) {
                    return guess;
                }
            }
            return index().find(pgno);
        }
    }

    /** Twelve bytes a page, in addition to the indexes of the files. */
    private static final class MergedLayer implements Layer {

        private final List<ReplicaFile> files = new ArrayList<>();
        private final int[] pgnos;
        private final int[] fileNumbers;
        private final int[] entries;
        private final int size;

        private MergedLayer(Layer newer, Layer older) {
            int most = newer.size() + older.size();
            pgnos = new int[most];
            fileNumbers = new int[most];
            entries = new int[most];
            Map<ReplicaFile, Integer> numbers = new HashMap<>();
            int filled = 0;
            int n = 0;
            int o = 0;
            while (n < newer.size() || o < older.size()) {
                boolean fromNewer = o == older.size() || (n < newer.size() && newer.pgno(n) <= older.pgno(o));
                Layer from = fromNewer ? newer : older;
                int at = fromNewer ? n : o;
                if (fromNewer && o < older.size() && older.pgno(o) == newer.pgno(n)) {
                    o++; // the newer version wins
                }
                pgnos[filled] = (int) from.pgno(at);
                fileNumbers[filled] = numbers.computeIfAbsent(from.file(at), file -> {
                    files.add(file);
                    return files.size() - 1;
                });
                entries[filled++] = from.entry(at);
                n += fromNewer ? 1 : 0;
                o += fromNewer ? 0 : 1;
            }
            size = filled;
        }

        static Layer of(Layer newer, Layer older) {
            return new MergedLayer(newer, older);
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public long pgno(int at) {
            return Integer.toUnsignedLong(pgnos[at]);
        }

        @Override
        public ReplicaFile file(int at) {
            return files.get(fileNumbers[at]);
        }

        @Override
        public int entry(int at) {
            return entries[at];
        }

        @Override
        public int find(long pgno) {
            int low = 0;
            int high = size - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                long at = pgno(middle);
                if (at == pgno) {
                    return middle;
                }
                if (at < pgno) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            return -1;
        }
    }
}
