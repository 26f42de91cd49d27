package org.litestream4j.internal.pages;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxPageDecoder;
import org.litestream4j.ltx.LtxPageIndex;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaFileChangedException;

/**
 * Reads the parts of files that lead to their pages. A small file is read whole, by one request. Of a large one, the start
 * and the end are read at the same time; the end is as long as a usual page index, and a longer one is completed.
 */
final class FileParts {

    /** Size of a file up to which it is read whole, and its checksum verified. */
    static final int WHOLE = 256 << 10;

    private static final int HEAD = 64 << 10;

    private static final int MIN_TAIL = 64 << 10;

    private static final int MAX_TAIL = 8 << 20;

    /** Size of a file in relation to its page index, for usual pages. */
    private static final int TAIL_RATIO = 256;

    /** Size of the parts in which a long index is completed. */
    private static final int PART = 8 << 20;

    private final ReadOnlyReplica replica;
    private final FetchWorkers workers;
    private final Retries retries;

    FileParts(ReadOnlyReplica replica, FetchWorkers workers, Retries retries) {
        this.replica = replica;
        this.workers = workers;
        this.retries = retries;
    }

    /** Returns the name of a file for messages. */
    static String label(LtxFileInfo file) {
        return file.level() + "/" + file.name();
    }

    /** A range of a file. */
    private static final class Piece {
        private final byte[] bytes;
        private final @Nullable String version;
        private final OptionalLong databaseChecksum;

        Piece(byte[] bytes, @Nullable String version, OptionalLong databaseChecksum) {
            this.bytes = bytes;
            this.version = version;
            this.databaseChecksum = databaseChecksum;
        }
    }

    /** The requests for the parts of one file. */
    record Pending(LtxFileInfo file, Future<Piece> head, @Nullable Future<Piece> tail) {}

    /** Sends the requests for a file. */
    Pending begin(LtxFileInfo file, long deadline) {
        long size = file.size();
        if (size <= WHOLE) {
            return new Pending(file, piece(file, 0, (int) size, deadline), null);
        }
        int tail = (int) Math.min(Math.max(size / TAIL_RATIO, MIN_TAIL), MAX_TAIL);
        return new Pending(file, piece(file, 0, HEAD, deadline), piece(file, size - tail, tail, deadline));
    }

    private Future<Piece> piece(LtxFileInfo file, long offset, int length, long deadline) {
        return workers.submit(() -> retries.until(deadline, label(file), () -> {
            try (OpenedFile opened = replica.openFile(file.level(), file.name(), offset, length)) {
                byte[] bytes = opened.content().readNBytes(length);
                if (bytes.length < length) {
                    ReplicaFile.requireKnown(opened.version(), label(file));
                    throw new LtxFormatException(
                            label(file),
                            offset + bytes.length,
                            "length",
                            "the file ends here; it was listed with " + file.size() + " bytes");
                }
                return new Piece(bytes, opened.version(), opened.databaseChecksum());
            }
        }));
    }

    /** Waits for the parts of a file, and completes its page index. */
    IndexParts finish(Pending pending, long deadline) throws IOException {
        LtxFileInfo file = pending.file();
        String label = label(file);
        Piece head = workers.await(pending.head(), deadline, label);
        if (pending.tail() == null) {
            return new IndexParts(head.version, head.databaseChecksum, head.bytes, new byte[0]);
        }
        Piece tail = workers.await(pending.tail(), deadline, label);
        requireSame(head, tail, label);
        LtxHeader header = LtxHeader.parse(head.bytes, label);
        long needed = LtxPageIndex.suffixSize(tail.bytes, file.size(), header, label);
        if (needed > Integer.MAX_VALUE - PART) {
            throw new LtxFormatException(
                    label, file.size() - LtxPageIndex.END_SIZE, "page index size", needed + " bytes are too many");
        }
        byte[] end = complete(file, head, tail, (int) needed, deadline);
        return new IndexParts(head.version, head.databaseChecksum, head.bytes, end);
    }

    private static void requireSame(Piece one, Piece other, String label) throws ReplicaFileChangedException {
        if (one.version != null && other.version != null && !one.version.equals(other.version)) {
            throw new ReplicaFileChangedException(label);
        }
    }

    /** Returns exactly the end of the file that is needed. */
    private byte[] complete(LtxFileInfo file, Piece head, Piece tail, int needed, long deadline) throws IOException {
        byte[] end = new byte[needed];
        int present = Math.min(needed, tail.bytes.length);
        System.arraycopy(tail.bytes, tail.bytes.length - present, end, needed - present, present);
        List<Future<Piece>> rest = new ArrayList<>();
        int missing = needed - present;
        for (int at = 0; at < missing; at += PART) {
            rest.add(piece(file, file.size() - needed + at, Math.min(PART, missing - at), deadline));
        }
        for (int i = 0; i < rest.size(); i++) {
            Piece piece = workers.await(rest.get(i), deadline, label(file));
            requireSame(head, piece, label(file));
            System.arraycopy(piece.bytes, 0, end, i * PART, piece.bytes.length);
        }
        return end;
    }

    /** Decoded pages of a file, from its first entry on. */
    record Pages(ReplicaFile file, List<byte[]> pages) {

        void forEach(PageFetch.Sink sink) {
            for (int entry = 0; entry < pages.size(); entry++) {
                sink.accept(file, entry, pages.get(entry));
            }
        }
    }

    /**
     * Decodes the pages in the start of a file.
     *
     * @param whole whether this is the whole file, whose checksum is verified
     * @param most largest number of bytes of pages that are returned; if there are more, none is
     */
    static Pages decode(ReplicaFile file, byte[] head, boolean whole, long most) throws LtxFormatException {
        LtxPageIndex index = file.index();
        int count = 0;
        while (count < index.size() && file.end(count) <= head.length) {
            count++;
        }
        boolean kept = (long) count * file.header().pageSize() <= most;
        if (!kept && !whole) {
            return new Pages(file, List.of());
        }
        LtxPageDecoder decoder = new LtxPageDecoder(file.header(), file.label());
        List<byte[]> pages = new ArrayList<>();
        for (int entry = 0; entry < count; entry++) {
            decoder.decode(head, (int) index.offset(entry), index.frameSize(entry), index.offset(entry));
            if (decoder.pgno() != index.pgno(entry)) {
                throw new LtxFormatException(
                        file.label(),
                        index.offset(entry),
                        "page index",
                        "page " + index.pgno(entry) + ", but its frame says " + decoder.pgno());
            }
            if (kept) {
                pages.add(decoder.page().clone());
            }
        }
        if (whole) {
            LtxChecksum checksum = new LtxChecksum();
            checksum.update(head, 0, LtxHeader.SIZE);
            checksum.append(decoder.checksum());
            index.verify(checksum);
        }
        return new Pages(file, pages);
    }
}
