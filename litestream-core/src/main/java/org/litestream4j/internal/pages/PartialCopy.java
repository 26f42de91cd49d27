package org.litestream4j.internal.pages;

import static java.util.Objects.requireNonNull;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.internal.pages.CopyJournal.Block;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.replica.OpenedFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A local file that is being filled with the pages of one state, block by block. A block is a range of frames of one file of
 * the replica; its pages can be read as soon as all of them are written. All files are read whole, so that their checksums are
 * verified at the end. A journal beside the file lets another run continue.
 *
 * <p>One thread fills the file, with helpers of its own; any thread may read from the image.
 */
final class PartialCopy implements Closeable {

    private static final Logger log = LoggerFactory.getLogger(PartialCopy.class);

    private static final int WRITE = 1 << 20;

    private final ReadOnlyReplica replica;
    private final Retries retries;
    private final BooleanSupplier stopped;
    private final State state;
    private final Blocks blocks;
    private final Path file;
    private final FileChannel channel;
    private final CopyJournal journal;
    private final LocalImage image;
    private final Map<ReplicaFile, LtxChecksum> headers = new HashMap<>();

    private PartialCopy(
            ReadOnlyReplica replica,
            Retries retries,
            BooleanSupplier stopped,
            State state,
            Path file,
            FileChannel channel,
            Path journal)
            throws IOException {
        this.replica = replica;
        this.retries = retries;
        this.stopped = stopped;
        this.state = state;
        this.file = file;
        this.channel = channel;
        blocks = new Blocks(state);
        long size = state.commit() * state.pageSize();
        if (channel.size() > size) {
            channel.truncate(size); // not mapped yet
        } else if (channel.size() < size) {
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
        image = LocalImage.map(channel, file, state, blocks);
        this.journal = new CopyJournal(journal, file.getFileName().toString(), state.pageSize());
    }

    /** Opens a file, existing or not; none of its content is trusted. */
    static PartialCopy open(
            ReadOnlyReplica replica, Retries retries, BooleanSupplier stopped, State state, Path file, Path journal)
            throws IOException {
        FileChannel channel =
                PrivateFiles.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean done = false;
        try {
            PartialCopy copy = new PartialCopy(replica, retries, stopped, state, file, channel, journal);
            done = true;
            return copy;
        } finally {
            if (!done) {
                channel.close();
            }
        }
    }

    State state() {
        return state;
    }

    Path file() {
        return file;
    }

    /** Returns what is recorded of the blocks that are written. */
    List<CopyJournal.Entry> entries() {
        List<CopyJournal.Entry> entries = new ArrayList<>();
        for (int number = 0; number < blocks.count(); number++) {
            if (blocks.isDone(number)) {
                entries.add(blocks.entry(number));
            }
        }
        return entries;
    }

    /** Returns the image, which holds the pages of the blocks that are written. */
    LocalImage image() {
        return image;
    }

    /**
     * Takes over the blocks that were written earlier, as far as they are of the files of this state and have the recorded
     * checksum, and begins a new journal with them.
     *
     * @param source file with those blocks, which may be this one
     */
    void begin(List<CopyJournal.Entry> left, LocalImage source, LocalCopy.Progress progress) throws IOException {
        List<CopyJournal.Entry> kept = new ArrayList<>();
        for (CopyJournal.Entry entry : left) {
            checkRunning();
            Block block = blocks.find(entry);
            CopyJournal.Entry carried =
                    block == null || blocks.isDone(block.number()) ? null : carried(block, entry, source);
            if (block != null && carried != null) {
                kept.add(carried);
                blocks.finish(block.number(), carried);
                progress.report(blocks.bytesDone(), blocks.bytes());
            }
        }
        channel.force(false);
        journal.begin(kept);
    }

    /** Returns what is recorded of a block whose pages are in the file; null if they are not certainly there. */
    private CopyJournal.@Nullable Entry carried(Block block, CopyJournal.Entry entry, LocalImage source)
            throws IOException {
        BitSet placed = blocks.placed(block);
        BitSet missing = (BitSet) placed.clone();
        missing.andNot(entry.placed());
        if (!missing.isEmpty()) {
            return null;
        }
        Writer writer = new Writer();
        byte[] page = new byte[state.pageSize()];
        long recorded = 0;
        long xor = 0;
        for (int at = entry.placed().nextSetBit(0); at >= 0; at = entry.placed().nextSetBit(at + 1)) {
            long pgno = block.file().index().pgno(block.from() + at);
            if (pgno > source.state().commit()) {
                return null; // cut off, so that the recorded checksum cannot be verified
            }
            source.copy(pgno, 0, page.length, ByteBuffer.wrap(page));
            long checksum = LtxChecksum.page(pgno, page);
            recorded ^= checksum;
            xor ^= placed.get(at) ? checksum : 0;
            if (source != image && placed.get(at)) {
                writer.add(pgno, page);
            }
        }
        writer.flush();
        return recorded == entry.xor() ? entry.with(placed, xor) : null;
    }

    /** Fills the file. Blocks that are written stay so if another one fails. */
    void fill(int threads, LocalCopy.Progress progress) throws IOException {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Runnable work = () -> fill(next, failure, progress);
        List<Thread> helpers = new ArrayList<>();
        try {
            for (int i = 1; i < threads; i++) {
                Thread helper = new Thread(work, "litestream-pages-hydrate-" + i);
                helper.setDaemon(true);
                helper.start();
                helpers.add(helper);
            }
        } catch (OutOfMemoryError e) {
            log.debug("no more threads can be started: {}", e.toString()); // fewer do the work
        }
        work.run();
        helpers.forEach(PartialCopy::join);
        Throwable failed = failure.get();
        if (failed instanceof IOException e) {
            throw e;
        }
        if (failed != null) {
            throw new IOException("the database could not be fetched: " + failed, failed);
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void fill(AtomicInteger next, AtomicReference<@Nullable Throwable> failure, LocalCopy.Progress progress) {
        try {
            for (int number = next.getAndIncrement();
                    number < blocks.count() && failure.get() == null;
                    number = next.getAndIncrement()) {
                if (!blocks.isDone(number)) {
                    Block block = blocks.block(number);
                    CopyJournal.Entry entry =
                            retries.until(retries.deadline(), block.file().label(), () -> writtenOrAgain(block));
                    channel.force(false); // a lost write could leave the combined checksum as it is
                    journal.add(entry);
                    blocks.finish(number, entry);
                    progress.report(blocks.bytesDone(), blocks.bytes());
                }
            }
        } catch (Throwable e) { // reported by the thread that waits for this one
            failure.compareAndSet(null, e);
        }
    }

    private CopyJournal.Entry writtenOrAgain(Block block) throws IOException {
        try {
            return written(block);
        } catch (LtxFormatException e) {
            return written(block); // the error may have come up on the way
        }
    }

    /** Reads a block, and writes those of its pages that no newer file has. */
    private CopyJournal.Entry written(Block block) throws IOException {
        ReplicaFile from = block.file();
        BitSet placed = blocks.placed(block);
        long offset = from.index().offset(block.from());
        long length = from.end(block.to() - 1) - offset;
        long xor = 0;
        try (OpenedFile opened =
                replica.openFile(from.info().level(), from.info().name(), offset, length)) {
            from.requireVersion(opened.version());
            FrameStream frames = new FrameStream(from, opened, offset, length);
            Writer writer = new Writer();
            for (int entry = block.from(); entry < block.to(); entry++) {
                byte[] page = frames.read(entry);
                if (placed.get(entry - block.from())) {
                    long pgno = from.index().pgno(entry);
                    xor ^= LtxChecksum.page(pgno, page);
                    writer.add(pgno, page);
                }
                if (entry % 256 == 0) {
                    checkRunning();
                }
            }
            writer.flush();
            LtxChecksum checksum = frames.checksum();
            return new CopyJournal.Entry(
                    CopyJournal.identity(from),
                    block.from(),
                    block.to(),
                    checksum.value(),
                    checksum.length(),
                    xor,
                    placed);
        }
    }

    /** Writes pages, neighbours together. */
    private final class Writer {

        private final ByteBuffer buffer = ByteBuffer.allocate(Math.max(WRITE, state.pageSize()));
        private long first;

        void add(long pgno, byte[] page) throws IOException {
            boolean continues = pgno == first + buffer.position() / page.length;
            if (!continues || buffer.remaining() < page.length) {
                flush();
            }
            if (buffer.position() == 0) {
                first = pgno;
            }
            buffer.put(page);
        }

        void flush() throws IOException {
            buffer.flip();
            long at = (first - 1) * state.pageSize();
            while (buffer.hasRemaining()) {
                at += channel.write(buffer, at);
            }
            buffer.clear();
        }
    }

    /** Reads the headers, which are part of the checksums of the files. */
    void readHeaders() throws IOException {
        for (ReplicaFile from : state.files()) {
            if (!headers.containsKey(from)) {
                headers.put(from, header(from));
            }
        }
    }

    /**
     * Verifies the checksum of each file of the replica, and that each page was written, after {@link #readHeaders}.
     *
     * @return checksum of the database
     * @throws LtxFormatException if a file is damaged
     */
    long verify() throws IOException {
        long xor = 0;
        long pages = 0;
        int number = 0;
        for (ReplicaFile from : state.files()) {
            LtxChecksum whole = requireNonNull(headers.get(from));
            long crc = whole.value();
            for (; number < blocks.count() && blocks.block(number).file().equals(from); number++) {
                CopyJournal.Entry entry = blocks.entry(number);
                crc = LtxChecksum.combine(crc, entry.crc(), entry.length());
                xor ^= entry.xor();
                pages += entry.placed().cardinality();
            }
            from.index().verify(crc);
        }
        long wanted = state.commit() - (state.commit() >= LockPage.pgno(state.pageSize()) ? 1 : 0);
        if (pages != wanted) {
            throw new IOException(replica.url() + ": the files of TXID " + state.txid() + " have " + pages
                    + " pages of the database instead of " + wanted);
        }
        channel.force(true);
        return LtxChecksum.database(xor);
    }

    private LtxChecksum header(ReplicaFile from) throws IOException {
        return retries.until(retries.deadline(), from.label(), () -> {
            try (OpenedFile opened =
                            replica.openFile(from.info().level(), from.info().name(), 0, LtxHeader.SIZE);
                    InputStream in = opened.content()) {
                from.requireVersion(opened.version());
                byte[] bytes = in.readNBytes(LtxHeader.SIZE);
                LtxChecksum checksum = new LtxChecksum();
                checksum.update(bytes, 0, bytes.length);
                return checksum;
            }
        });
    }

    private void checkRunning() throws IOException {
        if (stopped.getAsBoolean()) {
            throw new IOException("stopped");
        }
    }

    /** Deletes the file and the journal. Readers keep what they have mapped. */
    void discard() throws IOException {
        finish();
        Files.deleteIfExists(file);
    }

    /** Closes the file and deletes the journal. */
    void finish() throws IOException {
        close();
        journal.delete();
    }

    @Override
    public void close() throws IOException {
        journal.close();
        channel.close();
    }
}
