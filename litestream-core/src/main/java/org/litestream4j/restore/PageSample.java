package org.litestream4j.restore;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageDecoder;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sample of pages from the newest state of a replica, read with a bounded number of requests and in bounded memory.
 * It contains all pages of a small database, runs of pages spread over a larger one, or the first pages if the page
 * index is too large to read.
 */
public final class PageSample {

    private static final Logger log = LoggerFactory.getLogger(PageSample.class);

    private static final int RUN = 8;
    private static final int RUNS = 32;

    /** Maximum size of all sampled pages, in bytes. */
    private static final int MAX_SAMPLE_BYTES = 4 << 20;

    /**
     * Maximum number of files read. Of a longer plan, the oldest files are read: an older state serves the purpose
     * equally well.
     */
    private static final int MAX_FILES = 200;

    /** Size in bytes up to which a file is read with one request. */
    private static final int SMALL_FILE = 256 << 10;

    private static final int TAIL = 64 << 10;
    private static final int MAX_INDEX_BYTES = 8 << 20;
    private static final long MAX_INDEXED_PAGES = 400_000;

    /** Maximum distance in bytes of two frames that are read with one request. */
    private static final long MAX_GAP_BYTES = 64 << 10;

    private final ReplicaClient replica;
    private final LtxHeader newest;
    private final SortedSet<Long> wanted;
    private final SortedMap<Long, byte[]> pages = new TreeMap<>();

    private PageSample(ReplicaClient replica, LtxHeader newest) {
        this.replica = replica;
        this.newest = newest;
        this.wanted = choose(newest.commit(), newest.pageSize());
    }

    /**
     * Reads a sample. Damaged files are skipped.
     *
     * @return empty if nothing can be restored from the replica
     */
    public static Optional<PageSample> of(ReplicaClient replica) throws IOException {
        List<LtxFileInfo> files = plan(replica);
        if (files.isEmpty()) {
            return Optional.empty();
        }
        files = files.subList(0, Math.min(files.size(), MAX_FILES));
        LtxFileInfo last = files.get(files.size() - 1);
        PageSample sample = new PageSample(replica, header(replica, last));
        for (int i = files.size() - 1; i >= 0 && !sample.wanted.isEmpty(); i--) {
            try {
                if (!sample.read(files.get(i))) {
                    break;
                }
            } catch (LtxFormatException e) {
                log.warn("a file of the replica is damaged, its pages are not compared: {}", e.getMessage());
            }
        }
        return Optional.of(sample);
    }

    /** Returns the files that lead to the newest state; if that state cannot be reached, the newest snapshot. */
    private static List<LtxFileInfo> plan(ReplicaClient replica) throws IOException {
        ReplicaListing listing = ReplicaListing.of(replica);
        try {
            return RestorePlanner.plan(replica.url(), listing.files(), RestoreTarget.latest(), listing)
                    .files();
        } catch (RestoreException e) {
            return listing.files().stream()
                    .filter(file -> file.minTxid().value() == 1)
                    .max(Comparator.comparing(LtxFileInfo::maxTxid))
                    .map(List::of)
                    .orElse(List.of());
        }
    }

    private static SortedSet<Long> choose(long commit, int pageSize) {
        long most = Math.min(RUN * RUNS, MAX_SAMPLE_BYTES / pageSize);
        SortedSet<Long> chosen = new TreeSet<>();
        if (commit <= most || commit > MAX_INDEXED_PAGES) {
            for (long pgno = 1; pgno <= Math.min(commit, most); pgno++) {
                chosen.add(pgno);
            }
            return chosen;
        }
        long runs = most / RUN;
        for (long run = 0; run < runs; run++) {
            long first = 1 + run * (commit - RUN) / (runs - 1);
            for (long pgno = first; pgno < first + RUN; pgno++) {
                chosen.add(pgno);
            }
        }
        return chosen;
    }

    /** Returns the page size in bytes. */
    public int pageSize() {
        return newest.pageSize();
    }

    /** Returns the size of the database in pages. */
    public long commit() {
        return newest.commit();
    }

    /** Returns the sampled pages by page number. */
    public SortedMap<Long, byte[]> pages() {
        return pages;
    }

    /** Adds the pages of a file that no newer file contained. Returns false if older files are of no use. */
    private boolean read(LtxFileInfo file) throws IOException {
        if (file.size() <= SMALL_FILE) {
            return readSequentially(file, file.size());
        }
        LtxHeader header = header(replica, file);
        if (header.pageSize() != newest.pageSize()) {
            return false;
        }
        byte[] tail = bytes(file, file.size() - TAIL, TAIL);
        long suffix = LtxPageIndex.suffixSize(tail, file.size(), header, label(file));
        if (suffix > MAX_INDEX_BYTES) {
            return readSequentially(file, LtxHeader.SIZE + (wanted.last() + 1) * 2 * header.pageSize());
        }
        byte[] end = suffix <= tail.length ? tail : bytes(file, file.size() - suffix, (int) suffix);
        readByIndex(file, header, LtxPageIndex.parse(end, file.size(), header, label(file)));
        return true;
    }

    private boolean readSequentially(LtxFileInfo file, long length) throws IOException {
        try (InputStream in = new BufferedInputStream(replica.open(file.level(), file.name(), 0, length), TAIL);
                LtxReader reader = LtxReader.open(in, label(file), file.name())) {
            if (reader.header().pageSize() != newest.pageSize()) {
                return false;
            }
            while (!wanted.isEmpty() && reader.next()) {
                take(reader.pgno(), reader.page());
                if (reader.pgno() >= wantedLast()) {
                    break;
                }
            }
        }
        return true;
    }

    private long wantedLast() {
        return wanted.isEmpty() ? 0 : wanted.last();
    }

    private void take(long pgno, byte[] page) {
        if (wanted.remove(pgno)) {
            pages.put(pgno, page.clone());
        }
    }

    private void readByIndex(LtxFileInfo file, LtxHeader header, LtxPageIndex index) throws IOException {
        List<Integer> entries = new ArrayList<>();
        for (long pgno : wanted) {
            int entry = index.find(pgno);
            if (entry >= 0) {
                entries.add(entry);
            }
        }
        LtxPageDecoder decoder = new LtxPageDecoder(header, label(file));
        for (int from = 0; from < entries.size(); ) {
            int to = from + 1;
            while (to < entries.size()
                    && index.offset(entries.get(to)) - endOf(index, entries.get(to - 1)) <= MAX_GAP_BYTES) {
                to++;
            }
            long offset = index.offset(entries.get(from));
            byte[] frames = bytes(file, offset, (int) (endOf(index, entries.get(to - 1)) - offset));
            for (int entry : entries.subList(from, to)) {
                long at = index.offset(entry);
                decoder.decode(frames, (int) (at - offset), index.frameSize(entry), at);
                take(decoder.pgno(), decoder.page());
            }
            from = to;
        }
    }

    private static long endOf(LtxPageIndex index, int entry) {
        return index.offset(entry) + index.frameSize(entry);
    }

    private static LtxHeader header(ReplicaClient replica, LtxFileInfo file) throws IOException {
        return LtxHeader.parse(bytes(replica, file, 0, LtxHeader.SIZE), label(replica, file));
    }

    private byte[] bytes(LtxFileInfo file, long offset, int length) throws IOException {
        return bytes(replica, file, offset, length);
    }

    private static byte[] bytes(ReplicaClient replica, LtxFileInfo file, long offset, int length) throws IOException {
        try (InputStream in = replica.open(file.level(), file.name(), offset, length)) {
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) {
                throw new LtxFormatException(label(replica, file), offset + bytes.length, "length", "cut short");
            }
            return bytes;
        }
    }

    private String label(LtxFileInfo file) {
        return label(replica, file);
    }

    private static String label(ReplicaClient replica, LtxFileInfo file) {
        return replica.url() + " level " + file.level() + " " + file.name();
    }
}
