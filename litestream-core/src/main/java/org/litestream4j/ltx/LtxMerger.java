package org.litestream4j.ltx;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Merges consecutive LTX files into one. For each page, the newest file takes precedence; pages beyond the last file's
 * commit are dropped. The pages are either read from a cursor ({@link #next}), or the result is written
 * ({@link #writeTo}). Every input is read to its end and verified. Not thread-safe.
 *
 * <p>The result contains no database checksums. If the inputs contain them, each input must start from the checksum
 * with which the previous one ends.
 */
public final class LtxMerger implements Closeable {

    private enum State {
        NEW,
        PAGES,
        ENDED,
        FAILED
    }

    private final LtxReader[] inputs;
    private final LtxHeader header;
    /** Inputs that are positioned on a page: a binary heap ordered by page number; for the same page, newest input first. */
    private final int[] heap;

    private int heapSize;
    private State state = State.NEW;
    private long pgno;

    private LtxMerger(List<LtxReader> inputs) throws LtxFormatException {
        this.inputs = inputs.toArray(new LtxReader[0]);
        heap = new int[this.inputs.length];
        header = mergedHeader(this.inputs);
    }

    /**
     * Creates a merger, which takes ownership of the inputs: closing the merger closes them, and so does this method if
     * it fails.
     *
     * @param inputs inputs in the order of their TXIDs, read up to their headers
     * @throws LtxFormatException if an input does not continue the previous one, or has another page size
     * @throws IllegalArgumentException if there is no input
     */
    public static LtxMerger open(List<LtxReader> inputs) throws IOException {
        try {
            return new LtxMerger(inputs);
        } catch (IOException | RuntimeException e) {
            for (LtxReader input : inputs) {
                try {
                    input.close();
                } catch (IOException suppressed) {
                    e.addSuppressed(suppressed);
                }
            }
            throw e;
        }
    }

    /** Returns the header of the result. */
    public LtxHeader header() {
        return header;
    }

    /**
     * Moves to the next page of the result.
     *
     * @return false after the last page, when all inputs are verified to their ends
     * @throws LtxFormatException if an input is damaged, or if the result starts at TXID 1 and lacks pages
     */
    public boolean next() throws IOException {
        if (state == State.ENDED) {
            return false;
        }
        if (state == State.FAILED) {
            throw new IllegalStateException("the merge to " + header.fileName() + " has failed before");
        }
        boolean first = state == State.NEW;
        state = State.FAILED; // until this step has succeeded
        if (first) {
            start();
        } else {
            leavePage();
        }
        dropBeyondCommit();
        if (heapSize == 0) {
            checkComplete(pgno, header.commit() + 1);
            checkChain();
            state = State.ENDED;
            return false;
        }
        long next = inputs[heap[0]].pgno();
        checkComplete(pgno, next);
        pgno = next;
        state = State.PAGES;
        return true;
    }

    /** Returns the number of the current page. */
    public long pgno() {
        return pgno;
    }

    /** Returns the current page: page-size bytes, valid until {@link #next}. */
    public byte[] page() {
        if (state != State.PAGES) {
            throw new IllegalStateException("the merge to " + header.fileName() + " is not at a page");
        }
        return inputs[heap[0]].page();
    }

    /**
     * Writes the whole result. Pages that an input contains in the requested encoding are copied unchanged.
     *
     * @param out output, which is not closed
     */
    public LtxTrailer writeTo(OutputStream out, PageEncoding encoding) throws IOException {
        if (state != State.NEW) {
            throw new IllegalStateException("the merge to " + header.fileName() + " has started already");
        }
        try (LtxWriter writer = LtxWriter.open(out, header, encoding)) {
            while (next()) {
                writePage(writer, encoding);
            }
            return writer.finish(0);
        }
    }

    /**
     * Returns the whole result as {@link #writeTo} would write it, produced while it is read, so that it can be
     * uploaded and verified at the same time.
     *
     * @return a stream that need not be closed; its memory is a buffer and the page index
     */
    public InputStream stream(PageEncoding encoding) {
        if (state != State.NEW) {
            throw new IllegalStateException("the merge to " + header.fileName() + " has started already");
        }
        return new MergedStream(encoding);
    }

    private void writePage(LtxWriter writer, PageEncoding encoding) throws IOException {
        LtxReader winner = inputs[heap[0]];
        if (winner.frameEncoding() == encoding) {
            writer.copyPage(pgno, winner.page(), winner.frameBytes(), winner.frameAt(), winner.frameSize());
        } else {
            writer.writePage(pgno, winner.page());
        }
    }

    /** Closes all inputs. */
    @Override
    public void close() throws IOException {
        IOException failure = null;
        for (LtxReader input : inputs) {
            try {
                input.close();
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static LtxHeader mergedHeader(LtxReader[] inputs) throws LtxFormatException {
        if (inputs.length == 0) {
            throw new IllegalArgumentException("nothing to merge");
        }
        LtxHeader first = inputs[0].header();
        for (int i = 1; i < inputs.length; i++) {
            LtxHeader previous = inputs[i - 1].header();
            LtxHeader next = inputs[i].header();
            if (next.pageSize() != first.pageSize()) {
                throw new LtxFormatException(
                        inputs[i].source(),
                        LtxHeaderCodec.PAGE_SIZE_OFFSET,
                        "page size",
                        next.pageSize() + ", but " + inputs[0].source() + " has " + first.pageSize());
            }
            if (!next.fileName().continues(previous.maxTxid())) {
                throw new LtxFormatException(
                        inputs[i].source(),
                        LtxHeaderCodec.MIN_TXID_OFFSET,
                        "contiguity",
                        "TXIDs " + next.minTxid() + " to " + next.maxTxid() + " do not continue "
                                + inputs[i - 1].source() + ", which ends at " + previous.maxTxid());
            }
        }
        LtxHeader last = inputs[inputs.length - 1].header();
        return LtxHeader.of(
                first.pageSize(),
                last.commit(),
                first.minTxid(),
                last.maxTxid(),
                last.timestampMillis(),
                WalRange.NONE);
    }

    /** Checks that no page is missing between two pages of a result that starts at TXID 1. */
    private void checkComplete(long previous, long next) throws LtxFormatException {
        if (!header.isSnapshot()) {
            return;
        }
        long expected = header.pageAfter(previous);
        if (expected < next) {
            throw new LtxFormatException(
                    "merged from " + inputs[0].source() + " to " + inputs[inputs.length - 1].source(),
                    0,
                    "snapshot gap",
                    "page " + expected + " of " + header.commit() + " is in none of the files");
        }
    }

    private void checkChain() throws LtxFormatException {
        for (int i = 1; i < inputs.length; i++) {
            LtxHeader next = inputs[i].header();
            long before = inputs[i - 1].trailer().postApplyChecksum();
            boolean comparable = before != 0
                    && next.preApplyChecksum() != 0
                    && next.minTxid().previous().equals(inputs[i - 1].header().maxTxid());
            if (comparable && next.preApplyChecksum() != before) {
                throw new LtxFormatException(
                        inputs[i].source(),
                        LtxHeaderCodec.PRE_APPLY_CHECKSUM_OFFSET,
                        "checksum chain",
                        "pre-apply checksum " + HexFormat.of().toHexDigits(next.preApplyChecksum()) + ", but "
                                + inputs[i - 1].source() + " leads to "
                                + HexFormat.of().toHexDigits(before));
            }
        }
    }

    private void start() throws IOException {
        for (int i = 0; i < inputs.length; i++) {
            if (inputs[i].next()) {
                push(i);
            }
        }
    }

    /** Moves every input that is positioned on the current page to its next page. */
    private void leavePage() throws IOException {
        while (heapSize > 0 && inputs[heap[0]].pgno() == pgno) {
            drop();
        }
    }

    private void dropBeyondCommit() throws IOException {
        while (heapSize > 0 && inputs[heap[0]].pgno() > header.commit()) {
            drop();
        }
    }

    /** Moves the input on top of the heap to its next page. */
    private void drop() throws IOException {
        if (!inputs[heap[0]].next()) {
            heap[0] = heap[--heapSize];
        }
        if (heapSize > 0) {
            sink();
        }
    }

    private void push(int input) {
        int at = heapSize++;
        while (at > 0 && isBefore(input, heap[(at - 1) / 2])) {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = input;
    }

    private void sink() {
        int input = heap[0];
        int at = 0;
        while (true) {
            int child = 2 * at + 1;
            if (child + 1 < heapSize && isBefore(heap[child + 1], heap[child])) {
                child++;
            }
            if (child >= heapSize || !isBefore(heap[child], input)) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = input;
    }

    private boolean isBefore(int a, int b) {
        long pgnoA = inputs[a].pgno();
        long pgnoB = inputs[b].pgno();
        return pgnoA != pgnoB ? pgnoA < pgnoB : a > b;
    }

    /** Continues the merge whenever its buffer is empty. */
    private final class MergedStream extends InputStream {

        private final PageEncoding encoding;
        private final Buffer buffer = new Buffer();
        private @Nullable LtxWriter writer;
        private int position;
        private boolean ended;

        MergedStream(PageEncoding encoding) {
            this.encoding = encoding;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, bytes.length);
            if (length == 0) {
                return 0;
            }
            while (position == buffer.size()) {
                if (ended) {
                    return -1;
                }
                fill();
            }
            int count = Math.min(length, buffer.size() - position);
            System.arraycopy(buffer.bytes(), position, bytes, offset, count);
            position += count;
            return count;
        }

        private void fill() throws IOException {
            buffer.reset();
            position = 0;
            LtxWriter current = writer;
            if (current == null) {
                current = LtxWriter.open(buffer, header, encoding);
                writer = current;
            }
            while (buffer.size() == 0) {
                if (next()) {
                    writePage(current, encoding);
                } else {
                    current.finish(0);
                    ended = true;
                    return;
                }
            }
        }
    }

    private static final class Buffer extends ByteArrayOutputStream {
        byte[] bytes() {
            return buf;
        }
    }
}
