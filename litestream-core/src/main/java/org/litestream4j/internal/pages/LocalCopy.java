package org.litestream4j.internal.pages;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.WeakHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreTarget;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of the hydration: one with all pages of a state, fetched block by block or made of its predecessor, and a record of
 * that state, written when the file is complete. Used by one thread.
 */
final class LocalCopy implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(LocalCopy.class);

    /** Part of the pages that must have changed before the file is made anew. */
    private static final int CHANGED = 10;

    /** Number of pages that are compared with the replica. */
    private static final int COMPARED = 64;

    private static final int BLOCK = 1 << 20;

    private final ReadOnlyReplica replica;
    private final StateFinder states;
    private final PageFetcher fetcher;
    private final Retries retries;
    private final PagesOptions options;
    private final BooleanSupplier stopped;
    private @Nullable CopyFolder folder;

    /** The file that is being filled. */
    private @Nullable PartialCopy partial;

    /** Whether files of the state of {@link #partial} were deleted or replaced. */
    private boolean superseded;

    /** Files of the replica that were found to be damaged when they were read whole. */
    private final Map<ReplicaFile, IOException> damaged = new WeakHashMap<>();

    LocalCopy(
            ReadOnlyReplica replica,
            StateFinder states,
            PageFetcher fetcher,
            Retries retries,
            PagesOptions options,
            BooleanSupplier stopped) {
        this.replica = replica;
        this.states = states;
        this.fetcher = fetcher;
        this.retries = retries;
        this.options = options;
        this.stopped = stopped;
    }

    /** Receives the progress. */
    @FunctionalInterface
    interface Progress {
        void report(long bytes, long totalBytes);
    }

    private CopyFolder folder() throws IOException {
        CopyFolder present = folder;
        if (present == null) {
            present = CopyFolder.open(options.folder(), replica.url());
            folder = present;
        }
        return present;
    }

    /**
     * Returns the image that an earlier run left, after all of it was verified; null if there is none, or if its state
     * is not certainly one of the replica.
     */
    @Nullable
    LocalImage resume(Progress progress) throws IOException {
        CopyRecord left = CopyRecord.read(folder().record());
        if (left == null) {
            return null;
        }
        Path file = folder().resolve(left.file());
        State state = planned(left.txid());
        if (state == null || !left.describes(state)) {
            log.info("hydrated file {} is made anew: its state is not certainly one of the replica", file);
            return null;
        }
        LocalImage image;
        try {
            image = LocalImage.open(file, state);
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
        Files.deleteIfExists(folder().journal()); // it may name this file, which must not be filled again
        folder().deleteOthers(left.file());
        return image;
    }

    /** Returns the state after a TXID as it is on the replica; null if it is not any more. */
    private @Nullable State planned(Txid txid) throws IOException {
        try {
            return State.of(0, states.files(RestoreTarget.txid(txid)));
        } catch (RestoreException e) {
            log.debug("{}: TXID {} cannot be restored: {}", replica.url(), txid, e.toString());
            return null;
        }
    }

    /** Compares the first pages of the newest file, which no other history has. */
    private boolean hasPagesOf(ReplicaFile newest, LocalImage image) throws IOException {
        List<PageLocation> places = new ArrayList<>();
        for (int entry = 0; entry < Math.min(COMPARED, newest.index().size()); entry++) {
            places.add(new PageLocation(newest, entry));
        }
        fetcher.begin(FetchWorkers.Urgency.EXPECTED, places);
        byte[] local = new byte[image.state().pageSize()];
        for (PageLocation place : places) {
            image.copy(newest.index().pgno(place.entry()), 0, local.length, ByteBuffer.wrap(local));
            if (!Arrays.equals(local, fetcher.page(place, retries.deadline()))) {
                return false;
            }
        }
        return true;
    }

    private long checksum(LocalImage image, Progress progress) throws IOException {
        byte[] page = new byte[image.state().pageSize()];
        long pages = image.state().commit();
        long xor = 0;
        for (long pgno = 1; pgno <= pages; pgno++) {
            if (pgno != LockPage.pgno(page.length)) {
                image.copy(pgno, 0, page.length, ByteBuffer.wrap(page));
                xor ^= LtxChecksum.page(pgno, page);
            }
            if (pgno % 1024 == 0) {
                progress.report(pgno * page.length, pages * page.length);
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

    /**
     * Fetches all pages of a state near the newest one into a local file, or continues to.
     *
     * @param partly receives the image while it is being filled, and null when it must not be read any more
     */
    LocalImage fetch(State newest, Consumer<@Nullable LocalImage> partly, Progress progress) throws IOException {
        for (ReplicaFile file : newest.files()) {
            IOException found = damaged.get(file);
            if (found != null) {
                throw found; // reading it again would only cost requests
            }
        }
        PartialCopy copy = partial(newest, partly, progress);
        partly.accept(copy.image());
        try {
            copy.fill(Math.max(1, options.parallelism() / 2), progress);
            copy.readHeaders();
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            superseded = true;
            throw e;
        }
        boolean verified = false;
        try {
            long checksum = verified(copy, progress);
            LocalImage image = LocalImage.open(copy.file(), copy.state());
            verified = true;
            record(CopyRecord.of(copy.file(), copy.state(), checksum));
            copy.finish();
            folder().deleteOthers(copy.file().getFileName().toString());
            return image;
        } finally {
            partial = null;
            if (!verified) {
                partly.accept(null);
                if (stopped.getAsBoolean()) {
                    copy.close(); // the next run verifies it
                } else {
                    copy.discard();
                }
            }
        }
    }

    /** Returns the checksum of the database in a file that was filled, after all of it was verified. */
    private long verified(PartialCopy copy, Progress progress) throws IOException {
        long checksum;
        try {
            checksum = copy.verify();
        } catch (LtxFormatException e) {
            IOException found = states.damaged(e);
            copy.state().files().stream()
                    .filter(file -> file.label().equals(e.source()))
                    .forEach(file -> damaged.put(file, found));
            throw found;
        }
        requireChecksum(copy.state(), checksum);
        if (checksum(copy.image(), progress) != checksum) {
            throw new IOException(copy.file() + " does not have the content that was written; check the disk");
        }
        return checksum;
    }

    /** Returns the file that is being filled: the present one, the one of an earlier run, or a new one. */
    private PartialCopy partial(State newest, Consumer<@Nullable LocalImage> partly, Progress progress)
            throws IOException {
        PartialCopy present = partial;
        if (present != null && !superseded && present.state().sharesFileWith(newest)) {
            return present;
        }
        CopyJournal.Left left = present == null ? left(newest) : null;
        State state = present == null && !superseded ? target(newest) : newest.withoutLevel0();
        Path file = left == null ? folder().newFile() : folder().resolve(left.file());
        Files.deleteIfExists(folder().record());
        if (present == null) {
            folder().deleteOthers(left == null ? "" : left.file());
        }
        if (left == null) {
            requireSpace(file, state.commit() * state.pageSize());
        }
        PartialCopy opened = PartialCopy.open(replica, retries, stopped, state, file, folder().journal());
        boolean begun = false;
        try {
            if (present != null) {
                opened.begin(present.entries(), present.image(), progress);
                partly.accept(null);
                present.close();
            } else {
                opened.begin(left == null ? List.of() : left.entries(), opened.image(), progress);
            }
            partial = opened;
            superseded = false;
            begun = true;
            if (present != null) {
                deleteReplaced(present.file());
            }
            return opened;
        } finally {
            if (!begun) {
                opened.close();
                if (left == null) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** Deletes a file whose blocks were taken over. Where mapped files cannot be deleted, a later run does it. */
    private static void deleteReplaced(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            log.debug("left-over file {} cannot be deleted: {}", file, e.toString());
        }
    }

    /** Returns what an earlier run left of a file of the same page size; null if nothing. */
    private CopyJournal.@Nullable Left left(State newest) throws IOException {
        CopyJournal.Left left = CopyJournal.read(folder().journal());
        return left != null
                        && left.pageSize() == newest.pageSize()
                        && folder().isHydrated(left.file())
                        && Files.isRegularFile(folder().resolve(left.file()))
                ? left
                : null;
    }

    /** Returns the state before the files of level 0, which are deleted soon, unless these have many pages. */
    private static State target(State newest) {
        State settled = newest.withoutLevel0();
        return changes(settled, newest) < Math.max(100, newest.commit() / CHANGED) ? settled : newest;
    }

    private static long changes(State before, State after) {
        return after.filesNotIn(before).stream()
                .mapToLong(file -> file.index().size())
                .sum();
    }

    private void requireChecksum(State state, long checksum) throws IOException {
        OptionalLong captured = state.newest().databaseChecksum();
        if (captured.isPresent() && captured.getAsLong() != checksum) {
            throw new IOException(replica.url() + ": the pages of TXID " + state.txid()
                    + " do not have the checksum with which they were captured");
        }
    }

    /** Writes a record. Without it, the next run fetches the database again; this one uses the file all the same. */
    private void record(CopyRecord made) throws IOException {
        Path path = folder().record();
        try {
            made.write(path);
        } catch (IOException e) {
            log.warn("hydrated file cannot be used by the next run, {} cannot be written: {}", path, e.toString());
        }
    }

    /** Returns an image of the newest state, if enough has changed; otherwise the present one. */
    LocalImage advance(LocalImage present, State newest) throws IOException {
        return newest.pageSize() == present.state().pageSize()
                        && changes(present.state(), newest) < Math.max(100, newest.commit() / CHANGED)
                ? present
                : make(present, newest);
    }

    private LocalImage make(LocalImage present, State state) throws IOException {
        Path file = folder().newFile();
        boolean done = false;
        requireSpace(file, state.commit() * state.pageSize());
        try (FileChannel out = PrivateFiles.open(
                file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long checksum = write(out, present, state);
            requireChecksum(state, checksum);
            LocalImage image = LocalImage.map(out, file, state, null);
            done = true;
            record(CopyRecord.of(file, state, checksum));
            folder().deleteOthers(file.getFileName().toString());
            return image;
        } finally {
            if (!done) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** Writes all pages of a state, and returns the database's checksum. */
    private long write(FileChannel out, LocalImage present, State state) throws IOException {
        int pageSize = state.pageSize();
        int perBlock = Math.max(1, BLOCK / pageSize);
        ByteBuffer block = ByteBuffer.allocate(perBlock * pageSize);
        byte[] page = new byte[pageSize];
        long xor = 0;
        for (long first = 1; first <= state.commit(); first += perBlock) {
            checkRunning();
            long end = Math.min(state.commit() + 1, first + perBlock);
            fetcher.begin(FetchWorkers.Urgency.EXPECTED, missing(present, state, first, end));
            block.clear();
            for (long pgno = first; pgno < end; pgno++) {
                if (pgno == LockPage.pgno(pageSize)) {
                    block.put(new byte[pageSize]);
                    continue;
                }
                read(present, state, pgno, page);
                xor ^= LtxChecksum.page(pgno, page);
                block.put(page);
            }
            block.flip();
            while (block.hasRemaining()) {
                out.write(block);
            }
        }
        out.force(true);
        return LtxChecksum.database(xor);
    }

    private static void requireSpace(Path file, long size) throws IOException {
        long usable = Files.getFileStore(file.toAbsolutePath().getParent()).getUsableSpace();
        if (usable < size) {
            throw new IOException(file.toAbsolutePath().getParent() + " has " + usable + " bytes free, the hydrated"
                    + " database needs " + size + "; make room, or use another folder");
        }
    }

    private static List<PageLocation> missing(LocalImage present, State newest, long first, long end) {
        List<PageLocation> missing = new ArrayList<>();
        for (long pgno = first; pgno < end; pgno++) {
            PageLocation place = newest.layers().find(pgno);
            if (place != null && !present.holds(place, pgno)) {
                missing.add(place);
            }
        }
        return missing;
    }

    private void read(LocalImage present, State newest, long pgno, byte[] page) throws IOException {
        PageLocation place = newest.layers().find(pgno);
        if (place == null) {
            throw new IOException(
                    replica.url() + ": page " + pgno + " is in none of the files of TXID " + newest.txid());
        }
        if (present.holds(place, pgno)) {
            present.copy(pgno, 0, page.length, ByteBuffer.wrap(page));
        } else {
            System.arraycopy(fetcher.page(place, retries.deadline()), 0, page, 0, page.length);
        }
    }

    @Override
    public void close() {
        try {
            if (partial != null) {
                partial.close();
            }
            if (folder != null) {
                folder.close();
            }
        } catch (IOException e) {
            log.warn("left-over files of the hydration cannot be deleted: {}", e.toString());
        }
    }
}
