package org.litestream4j.restore;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxTrailer;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ResumingInputStream;
import org.litestream4j.replica.StopSignal;
import org.litestream4j.restore.RestoreException.Reason;

/**
 * Reads and verifies all files of a plan with several threads, and writes the newest version of each page. Small files
 * are read whole with one request each, large files in parts.
 */
final class PlanReader {

    private static final long REPORT_MILLIS = 100;

    private static final long FLUSH_MILLIS = 20;

    /** Bytes written after which the file is forced to the disk, so that the disk writes while the workers decode. */
    private static final long FLUSH_BYTES = 64L * 1024 * 1024;

    private final List<PlanSource> sources;
    private final FileChannel channel;
    private final int parallelism;
    private final long partSize;
    private final int maxIndex;
    private final boolean compareChecksum;
    private final RestoreCounters counters;
    private final StopSignal stop = new StopSignal();
    private final TaskQueue queue = new TaskQueue(stop);

    /** Header of each source; null until the source has been read. */
    private final @Nullable LtxHeader[] headers;

    private final @Nullable LtxTrailer[] trailers;

    /** Number of pages of each source; 0 until the source has been read. */
    private final long[] pages;

    private long databaseChecksum;

    private OptionalLong provenChecksum = OptionalLong.empty();

    private Txid baseTxid = Txid.NONE;

    /**
     * @param sources sources in the order of their transactions
     * @param channel channel of the new database file, readable and writable
     * @param partSize approximate size of a part in bytes; larger files are read in parts
     * @param maxIndex maximum size in bytes of a page index; files with a larger one are read as a whole
     * @param compareChecksum whether the database must match the checksum recorded on the replica, if there is one
     */
    PlanReader(
            List<PlanSource> sources,
            FileChannel channel,
            int parallelism,
            long partSize,
            int maxIndex,
            boolean compareChecksum,
            RestoreCounters counters) {
        this.sources = sources;
        this.channel = channel;
        this.parallelism = parallelism;
        this.partSize = partSize;
        this.maxIndex = maxIndex;
        this.compareChecksum = compareChecksum;
        this.counters = counters;
        headers = new LtxHeader[sources.size()];
        trailers = new LtxTrailer[sources.size()];
        pages = new long[sources.size()];
    }

    /**
     * Reads all files.
     *
     * @param begin called before anything is written, with the header of the newest file, which contains the size
     *     of the database
     * @param report called on this thread a few times a second; returns true to end the reading with a
     *     {@link StopSignal.StoppedException}
     * @return the header of the newest file
     * @throws LtxFormatException if a file is damaged, or if pages are missing from all files
     * @throws RestoreException if the files do not yield the database that was captured
     * @throws PageSizeChangedException if the plan must start with a later file
     */
    LtxHeader read(Begin begin, BooleanSupplier report) throws IOException {
        int newest = sources.size() - 1;
        try (FirstFile first = openFirst(newest)) {
            LtxHeader header = first.header();
            begin.accept(header);
            OptionalLong told = compareChecksum ? first.databaseChecksum() : OptionalLong.empty();
            PageImage image = new PageImage(channel, header.pageSize(), header.commit(), counters);
            queue.add(tasks(first, image));
            runWorkers(image, report);
            return finish(image, header, told, report);
        }
    }

    /**
     * Returns the recorded checksum that the restored pages were found to match; empty if none is recorded or
     * comparison is off.
     */
    OptionalLong provenChecksum() {
        return provenChecksum;
    }

    /** Returns the last transaction of the newest source that contains all pages; {@link Txid#NONE} if there is none. */
    Txid baseTxid() {
        return baseTxid;
    }

    /** Returns the headers of the sources of level 0, which follow each other where their TXIDs do. */
    Map<LtxFileName, LtxHeader> level0Headers() {
        Map<LtxFileName, LtxHeader> level0 = new HashMap<>();
        for (int i = 0; i < headers.length; i++) {
            if (sources.get(i).info().level() == 0) {
                level0.put(sources.get(i).info().name(), requireNonNull(headers[i]));
            }
        }
        return level0;
    }

    /** Returns the database checksum of the pages that were written and read back. */
    long databaseChecksum() {
        return databaseChecksum;
    }

    private FirstFile openFirst(int newest) throws IOException {
        PlanSource source = sources.get(newest);
        if (isLarge(source.info())) {
            LargeFile large = openLarge(source);
            if (large != null) {
                return new FirstFile(large.header(), large.databaseChecksum(), large, null);
            }
        }
        ResumingInputStream content = openContent(source);
        LtxReader reader = openSmall(source, content);
        return new FirstFile(reader.header(), content.databaseChecksum(), null, reader);
    }

    private ResumingInputStream openContent(PlanSource source) {
        return source.open(0, source.info().size(), stop, counters);
    }

    private static LtxReader openSmall(PlanSource source, ResumingInputStream content) throws IOException {
        return LtxReader.open(content, source.label(), source.info().name());
    }

    private boolean isLarge(LtxFileInfo file) {
        return file.size() > partSize;
    }

    /**
     * Returns the tasks, newest files first, because older versions of their pages need not be written afterwards.
     * Large files are opened before all others.
     */
    private List<TaskQueue.Task> tasks(FirstFile first, PageImage image) {
        List<TaskQueue.Task> large = new ArrayList<>();
        List<TaskQueue.Task> small = new ArrayList<>();
        for (int i = sources.size() - 1; i >= 0; i--) {
            int file = i;
            PlanSource source = sources.get(i);
            if (i == sources.size() - 1) {
                LargeFile opened = first.large();
                if (opened != null) {
                    large.add(writer -> addParts(file, opened, image));
                } else {
                    small.add(writer -> readWhole(file, requireNonNull(first.reader()), image, writer));
                }
            } else if (isLarge(source.info())) {
                large.add(writer -> {
                    LargeFile opened = openLarge(source);
                    if (opened != null) {
                        addParts(file, opened, image);
                    } else {
                        readWhole(file, source, image, writer);
                    }
                });
            } else {
                small.add(writer -> readWhole(file, source, image, writer));
            }
        }
        large.addAll(small);
        return large;
    }

    private @Nullable LargeFile openLarge(PlanSource source) throws IOException {
        return LargeFile.open(source, partSize, maxIndex, stop, counters);
    }

    private void readWhole(int file, PlanSource source, PageImage image, PageImage.Writer writer) throws IOException {
        try (LtxReader reader = openSmall(source, openContent(source))) {
            readWhole(file, reader, image, writer);
        }
    }

    private void addParts(int file, LargeFile large, PageImage image) throws PageSizeChangedException {
        requirePageSize(file, large.header(), image);
        headers[file] = large.header();
        trailers[file] = large.trailer();
        pages[file] = large.pages();
        queue.add(large.parts().stream()
                .<TaskQueue.Task>map(part -> writer -> {
                    writer.begin(file + 1);
                    if (part.read(writer, stop, counters)) {
                        counters.filesVerified.incrementAndGet();
                    }
                })
                .toList());
    }

    private void readWhole(int file, LtxReader reader, PageImage image, PageImage.Writer writer) throws IOException {
        requirePageSize(file, reader.header(), image);
        writer.begin(file + 1);
        while (reader.next()) {
            writer.add(reader.pgno(), reader.page());
            pages[file]++;
        }
        writer.flush();
        headers[file] = reader.header();
        trailers[file] = reader.trailer();
        counters.filesVerified.incrementAndGet();
    }

    private static void requirePageSize(int file, LtxHeader header, PageImage image) throws PageSizeChangedException {
        if (header.pageSize() != image.pageSize()) {
            throw new PageSizeChangedException(file, header.pageSize(), image.pageSize());
        }
    }

    private void runWorkers(PageImage image, BooleanSupplier report) throws IOException {
        List<Thread> workers = new ArrayList<>();
        boolean interrupted = false;
        try {
            for (int i = 1; i <= workerCount(); i++) {
                PageImage.Writer writer = image.writer();
                workers.add(start(() -> queue.work(writer), "litestream-restore-" + i));
            }
            workers.add(start(() -> flush(image), "litestream-restore-flush"));
            while (!queue.awaitEnd(REPORT_MILLIS)) {
                if (report.getAsBoolean()) {
                    queue.stop();
                }
            }
        } catch (InterruptedException e) {
            interrupted = true;
        } finally {
            queue.stop();
            for (Thread worker : workers) {
                interrupted |= joinUninterruptibly(worker);
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        queue.throwFailure();
        if (!queue.isFinished()) {
            stop.check();
        }
    }

    private static Thread start(Runnable work, String name) {
        Thread worker = new Thread(work, name);
        worker.setDaemon(true); // a request that never returns must not keep the process alive
        worker.start();
        return worker;
    }

    private void flush(PageImage image) {
        long flushed = 0;
        while (true) {
            stop.pause(FLUSH_MILLIS);
            if (stop.isStopped()) {
                return;
            }
            long written = counters.pagesInPlace.get() * image.pageSize();
            if (written - flushed >= FLUSH_BYTES) {
                try {
                    image.force();
                } catch (IOException e) { // an interrupt is reported only once and must not be lost
                    queue.fail(e);
                }
                flushed = written;
            }
        }
    }

    private int workerCount() {
        long parts = sources.stream()
                .mapToLong(source -> source.info().size() / partSize + 1)
                .sum();
        return (int) Math.min(parallelism, parts);
    }

    private static boolean joinUninterruptibly(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                return interrupted;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
    }

    private LtxHeader finish(PageImage image, LtxHeader newest, OptionalLong told, BooleanSupplier report)
            throws IOException {
        checkChain();
        if (compareChecksum) {
            baseTxid = WalChain.check(sources, headers, pages);
        }
        PlanSource last = sources.get(sources.size() - 1);
        long missing = image.firstMissing();
        if (missing != 0) {
            throw new LtxFormatException(
                    last.label(),
                    0,
                    "pgno",
                    "the database has pages 1 to " + newest.commit() + ", but page " + missing
                            + " is in none of the files that lead there");
        }
        image.finish();
        compareChecksums(image, newest, told);
        image.force();
        image.verify(report);
        databaseChecksum = image.databaseChecksum();
        return newest;
    }

    /** Compares the database checksum with the checksums recorded in the newest file and on the replica. */
    private void compareChecksums(PageImage image, LtxHeader newest, OptionalLong told) throws IOException {
        PlanSource last = sources.get(sources.size() - 1);
        long expected = requireNonNull(trailers[sources.size() - 1]).postApplyChecksum();
        if (newest.hasDatabaseChecksums() && newest.commit() > 0 && image.databaseChecksum() != expected) {
            throw new LtxFormatException(
                    last.label(),
                    last.info().size() - LtxTrailer.SIZE,
                    "database checksum",
                    DatabaseChecksum.text(expected) + ", but the restored pages have "
                            + DatabaseChecksum.text(image.databaseChecksum()));
        }
        if (told.isPresent() && image.databaseChecksum() != told.getAsLong()) {
            throw new RestoreException(
                    Reason.CHECKSUM,
                    last.client().url(),
                    "each file is intact, but the resulting database has the checksum "
                            + DatabaseChecksum.text(image.databaseChecksum()) + ", and " + last.label()
                            + " was captured from one with " + DatabaseChecksum.text(told.getAsLong())
                            + ": a file was lost, or replaced by another",
                    "restore another state, or bring back the files from a copy of the replica; to have it as it is,"
                            + " restore with {databaseChecksum=false}",
                    null);
        }
        provenChecksum = told;
    }

    /**
     * Checks that, of two adjacent files with database checksums, the second starts from the checksum with which the
     * first ends.
     */
    private void checkChain() throws LtxFormatException {
        for (int i = 1; i < sources.size(); i++) {
            LtxHeader before = requireNonNull(headers[i - 1]);
            LtxHeader header = requireNonNull(headers[i]);
            long postApply = requireNonNull(trailers[i - 1]).postApplyChecksum();
            if (before.hasDatabaseChecksums()
                    && header.hasDatabaseChecksums()
                    && header.minTxid().equals(before.maxTxid().next())
                    && header.preApplyChecksum() != postApply) {
                throw new LtxFormatException(
                        sources.get(i).label(),
                        0,
                        "checksum chain",
                        "it starts from database " + HexFormat.of().toHexDigits(header.preApplyChecksum()) + ", but "
                                + sources.get(i - 1).label() + " leads to "
                                + HexFormat.of().toHexDigits(postApply));
            }
        }
    }

    static void requireName(LtxHeader header, PlanSource source) throws LtxFormatException {
        if (!header.fileName().equals(source.info().name())) {
            throw new LtxFormatException(
                    source.label(), 0, "file name", "the header has the TXIDs of " + header.fileName());
        }
    }

    /** Callback for the moment when the size of the database is known. */
    @FunctionalInterface
    interface Begin {
        void accept(LtxHeader newest) throws IOException;
    }

    /** The newest file, whose header is needed before all others: opened once, read later. */
    private record FirstFile(
            LtxHeader header, OptionalLong databaseChecksum, @Nullable LargeFile large, @Nullable LtxReader reader)
            implements AutoCloseable {
        @Override
        public void close() throws IOException {
            if (reader != null) {
                reader.close();
            }
        }
    }

    /** Thrown if the database had another page size before a certain file. Only files from there on can be merged. */
    static final class PageSizeChangedException extends IOException {

        private static final long serialVersionUID = 1L;

        private final int file;

        PageSizeChangedException(int file, int before, int after) {
            super("page size changed from " + before + " to " + after);
            this.file = file;
        }

        /** Returns the position, in the list of sources, of a file with the other page size. */
        int file() {
            return file;
        }
    }
}
