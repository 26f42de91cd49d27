package org.litestream4j.internal.pages;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestoreResult;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of the hydration: one with all pages of a state, made by a restore or of its predecessor, and a record of that
 * state, written when the file is complete. Used by one thread.
 */
final class LocalCopy implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(LocalCopy.class);

    /** Part of the pages that must have changed before the file is made anew. */
    private static final int CHANGED = 10;

    /** Number of pages that are compared with the replica. */
    private static final int COMPARED = 64;

    private static final int BLOCK = 1 << 20;

    private final ReadOnlyReplica replica;
    private final States states;
    private final Fetcher fetcher;
    private final Patience patience;
    private final PagesOptions options;
    private final BooleanSupplier stopped;
    private final String name;
    private @Nullable Path folder;
    private @Nullable FileChannel lock;
    private boolean temporary;
    private int made;

    LocalCopy(
            ReadOnlyReplica replica,
            States states,
            Fetcher fetcher,
            Patience patience,
            PagesOptions options,
            BooleanSupplier stopped) {
        this.replica = replica;
        this.states = states;
        this.fetcher = fetcher;
        this.patience = patience;
        this.options = options;
        this.stopped = stopped;
        name = "hydrated-" + StoredIndexes.key(replica.url());
    }

    /** Receives the progress. */
    @FunctionalInterface
    interface Progress {
        void report(long bytes, long totalBytes);
    }

    /** Returns the folder, which this process alone uses. */
    private Path folder() throws IOException {
        Path present = folder;
        if (present != null) {
            return present;
        }
        Path wanted = options.folder();
        if (wanted != null) {
            PrivateFiles.createDirectories(wanted);
            if (locked(wanted)) {
                folder = wanted;
                return wanted;
            }
            log.warn("another process hydrates {} in {}; a temporary folder is used instead", replica.url(), wanted);
        }
        Path made = Files.createTempDirectory("litestream-pages");
        temporary = true;
        folder = made;
        return made;
    }

    private boolean locked(Path wanted) throws IOException {
        FileChannel channel =
                PrivateFiles.open(wanted.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = null;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            log.debug("this process hydrates {} in {} already", replica.url(), wanted);
        } finally {
            if (held == null) {
                channel.close();
            }
        }
        lock = held == null ? null : channel;
        return held != null;
    }

    private Path record() throws IOException {
        return folder().resolve(name + ".state");
    }

    /**
     * Returns the image that an earlier run left, after all of it was verified; null if there is none, or if its state
     * is not certainly one of the replica.
     */
    @Nullable
    Image resume(State newest, Progress progress) throws IOException {
        CopyRecord left = CopyRecord.read(record());
        if (left == null) {
            deleteOthers("");
            return null;
        }
        Path file = folder().resolve(left.file());
        State state = planned(left, newest.lineage());
        if (state == null) {
            log.info("hydrated file {} is made anew: its state is no longer on the replica", file);
            return null;
        }
        if (!left.describes(state)
                || !(state.sharesFileWith(newest) || newest.txid().equals(state.txid()))) {
            return null;
        }
        Image image;
        try {
            image = Image.open(folder(), left, newest.lineage(), state.layers());
        } catch (IOException e) {
            log.info("hydrated file {} is made anew: {}", file, e.toString());
            return null;
        }
        if (!hasPagesOf(state.newest(), image)) {
            log.info("hydrated file {} is made anew: it is of another history", file);
            return null;
        }
        if (checksum(image, progress) != left.checksum()) {
            log.warn("hydrated file {} is damaged and made anew", file);
            return null;
        }
        deleteOthers(left.file());
        return image;
    }

    /** Compares the first pages of the newest file, which no other history has. */
    private boolean hasPagesOf(ReplicaFile newest, Image image) throws IOException {
        List<Place> places = new ArrayList<>();
        for (int entry = 0; entry < Math.min(COMPARED, newest.index().size()); entry++) {
            places.add(new Place(newest, entry));
        }
        fetcher.begin(Workers.Urgency.EXPECTED, places);
        byte[] local = new byte[image.pageSize()];
        for (Place place : places) {
            image.copy(newest.index().pgno(place.entry()), 0, local.length, ByteBuffer.wrap(local));
            if (!Arrays.equals(local, fetcher.page(place, patience.deadline()))) {
                return false;
            }
        }
        return true;
    }

    private long checksum(Image image, Progress progress) throws IOException {
        byte[] page = new byte[image.pageSize()];
        long xor = 0;
        for (long pgno = 1; pgno <= image.pages(); pgno++) {
            if (pgno != LockPage.pgno(page.length)) {
                image.copy(pgno, 0, page.length, ByteBuffer.wrap(page));
                xor ^= LtxChecksum.page(pgno, page);
            }
            if (pgno % 1024 == 0) {
                progress.report(pgno * page.length, image.pages() * page.length);
                checkRunning();
            }
        }
        return LtxChecksum.database(xor);
    }

    private void checkRunning() throws IOException {
        if (stopped.getAsBoolean()) {
            throw new IOException("stopped");
        }
    }

    private Path nextFile() throws IOException {
        Path file;
        do {
            file = folder().resolve(name + "-" + ++made + ".db");
        } while (Files.exists(file));
        return file;
    }

    /** Restores the newest state to a new file. */
    Image fetch(Newest newest, Progress progress) throws IOException {
        Path record = record();
        Files.deleteIfExists(record);
        deleteOthers("");
        Path file = nextFile();
        int lineage = newest.state().lineage();
        RestoreResult result = Restore.restore(
                replica,
                file,
                RestoreOptions.builder()
                        .parallelism(Math.max(1, options.parallelism() / 2))
                        .cancelled(stopped)
                        .listener(now -> progress.report(now.bytes(), now.totalBytes()))
                        .build());
        CopyRecord made = new CopyRecord(
                file.getFileName().toString(),
                result.txid(),
                result.timestamp(),
                result.pageSize(),
                result.pages(),
                result.writtenChecksum());
        State state = planned(made, lineage);
        boolean changed = state != null && !made.describes(state);
        if (changed
                || !newest.refresh()
                || newest.state().lineage() != lineage
                || newest.state().txid().isBefore(result.txid())) {
            Files.deleteIfExists(file);
            throw new IOException(replica.url() + ": it changed while it was read; it is read again");
        }
        made.write(record);
        return Image.open(folder(), made, lineage, state == null ? null : state.layers());
    }

    /** Returns the state of a copy as it is on the replica; null if it is not any more, as after a long restore. */
    private @Nullable State planned(CopyRecord copy, int lineage) throws IOException {
        try {
            return State.of(0, lineage, states.files(RestoreTarget.txid(copy.txid())));
        } catch (RestoreException e) {
            log.debug("{}: TXID {} was merged with later ones", replica.url(), copy.txid());
            return null;
        }
    }

    /** Returns an image of the newest state, if enough has changed; otherwise the present one. */
    Image advance(Image present, State newest) throws IOException {
        long changed = newest.files().stream()
                .filter(file -> file.header().maxTxid().isAfter(present.txid()))
                .mapToLong(file -> file.index().size())
                .sum();
        if (newest.pageSize() == present.pageSize() && changed < Math.max(100, newest.commit() / CHANGED)) {
            return present;
        }
        Path file = nextFile();
        boolean done = false;
        try {
            long checksum = write(file, present, newest);
            if (newest.newest().databaseChecksum().isPresent()
                    && newest.newest().databaseChecksum().getAsLong() != checksum) {
                throw new IOException(replica.url() + ": the pages of TXID " + newest.txid()
                        + " do not have the checksum with which they were captured");
            }
            CopyRecord made = new CopyRecord(
                    file.getFileName().toString(),
                    newest.txid(),
                    newest.timestamp(),
                    newest.pageSize(),
                    newest.commit(),
                    checksum);
            Image image = Image.open(folder(), made, newest.lineage(), newest.layers());
            made.write(record());
            done = true;
            deleteOthers(file.getFileName().toString());
            return image;
        } finally {
            if (!done) {
                Files.deleteIfExists(file);
            }
        }
    }

    private long write(Path file, Image present, State newest) throws IOException {
        int pageSize = newest.pageSize();
        int perBlock = Math.max(1, BLOCK / pageSize);
        ByteBuffer block = ByteBuffer.allocate(perBlock * pageSize);
        byte[] page = new byte[pageSize];
        long xor = 0;
        requireSpace(file, newest.commit() * pageSize);
        try (FileChannel out = PrivateFiles.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long first = 1; first <= newest.commit(); first += perBlock) {
                checkRunning();
                long end = Math.min(newest.commit() + 1, first + perBlock);
                fetcher.begin(Workers.Urgency.EXPECTED, missing(present, newest, first, end));
                block.clear();
                for (long pgno = first; pgno < end; pgno++) {
                    if (pgno == LockPage.pgno(pageSize)) {
                        block.put(new byte[pageSize]);
                        continue;
                    }
                    read(present, newest, pgno, page);
                    xor ^= LtxChecksum.page(pgno, page);
                    block.put(page);
                }
                block.flip();
                while (block.hasRemaining()) {
                    out.write(block);
                }
            }
            out.force(true);
        }
        return LtxChecksum.database(xor);
    }

    private static void requireSpace(Path file, long size) throws IOException {
        long usable = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
        if (usable < size) {
            throw new IOException(file.toAbsolutePath().getParent() + " has " + usable + " bytes free, the hydrated"
                    + " database needs " + size + "; make room, or use another folder");
        }
    }

    private static List<Place> missing(Image present, State newest, long first, long end) {
        List<Place> missing = new ArrayList<>();
        for (long pgno = first; pgno < end; pgno++) {
            Place place = newest.layers().find(pgno);
            if (place != null && !present.holds(newest, place, pgno)) {
                missing.add(place);
            }
        }
        return missing;
    }

    private void read(Image present, State newest, long pgno, byte[] page) throws IOException {
        Place place = newest.layers().find(pgno);
        if (place == null) {
            throw new IOException(
                    replica.url() + ": page " + pgno + " is in none of the files of TXID " + newest.txid());
        }
        if (present.holds(newest, place, pgno)) {
            present.copy(pgno, 0, page.length, ByteBuffer.wrap(page));
        } else {
            System.arraycopy(fetcher.page(place, patience.deadline()), 0, page, 0, page.length);
        }
    }

    /** Deletes what earlier runs left; readers keep what they have mapped. */
    private void deleteOthers(String kept) throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            for (Path file : files.toList()) {
                String other = file.getFileName().toString();
                boolean ours = other.startsWith(name + "-") || other.startsWith("." + name + "-");
                if (ours && !other.equals(kept)) {
                    try {
                        Files.deleteIfExists(file);
                    } catch (IOException e) {
                        log.debug("left-over file {} cannot be deleted: {}", file, e.toString());
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        try {
            if (lock != null) {
                lock.close();
            }
            if (temporary && folder != null) {
                Files.deleteIfExists(record());
                deleteOthers("");
                Files.deleteIfExists(folder);
            }
        } catch (IOException e) {
            log.warn("left-over files of the hydration cannot be deleted: {}", e.toString());
        }
    }
}
