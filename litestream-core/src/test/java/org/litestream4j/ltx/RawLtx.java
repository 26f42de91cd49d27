package org.litestream4j.ltx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An LTX file put together from its parts, right or wrong as a test wants: what is not set is derived from the rest, so
 * that a file with one wrong part has a right checksum all the same.
 */
final class RawLtx {

    static final int HEADER = 100;

    byte[] header;
    final List<Frame> frames = new ArrayList<>();
    byte[] endMarker = new byte[6];
    byte @Nullable [] index;

    @Nullable
    Long indexSize;

    long postApply;

    @Nullable
    Long fileChecksum;

    byte[] after = {};

    RawLtx(LtxHeader header) {
        this.header = LtxHeaderCodec.encode(header);
    }

    RawLtx headerInt(int offset, int value) {
        ByteBuffer.wrap(header).putInt(offset, value);
        return this;
    }

    RawLtx headerLong(int offset, long value) {
        ByteBuffer.wrap(header).putLong(offset, value);
        return this;
    }

    RawLtx block(long pgno, byte[] page) {
        byte[] out = new byte[Lz4Block.bound(page.length)];
        int size = Lz4Block.compress(page, out, 0);
        return block(pgno, page, java.util.Arrays.copyOf(out, size));
    }

    RawLtx block(long pgno, byte[] page, byte[] compressed) {
        frames.add(new Frame(pgno, 1, compressed.length, compressed, page));
        return this;
    }

    RawLtx lz4Frame(long pgno, byte[] page) {
        byte[] out = new byte[Lz4Frame.bound(page.length)];
        int size = Lz4Frame.compress(page, out, 0);
        return lz4Frame(pgno, page, java.util.Arrays.copyOf(out, size));
    }

    RawLtx lz4Frame(long pgno, byte[] page, byte[] compressed) {
        frames.add(new Frame(pgno, 0, null, compressed, page));
        return this;
    }

    /** Where a frame starts. */
    long offset(int frame) {
        return HEADER + frames.stream().limit(frame).mapToLong(Frame::size).sum();
    }

    byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LtxChecksum checksum = new LtxChecksum();
        put(out, checksum, header);
        for (Frame frame : frames) {
            byte[] start = frame.header();
            put(out, checksum, start);
            out.writeBytes(frame.data);
            checksum.update(frame.page, 0, frame.page.length);
        }
        put(out, checksum, endMarker);
        byte[] indexBytes = index != null ? index : index();
        put(out, checksum, indexBytes);
        long size = indexSize != null ? indexSize : indexBytes.length;
        put(
                out,
                checksum,
                ByteBuffer.allocate(16).putLong(size).putLong(postApply).array());
        long stored = fileChecksum != null ? fileChecksum : checksum.stored();
        out.writeBytes(ByteBuffer.allocate(8).putLong(stored).array());
        out.writeBytes(after);
        return out.toByteArray();
    }

    byte[] index() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long offset = HEADER;
        for (Frame frame : frames) {
            varint(out, frame.pgno);
            varint(out, offset);
            varint(out, frame.size());
            offset += frame.size();
        }
        out.write(0);
        return out.toByteArray();
    }

    static void varint(ByteArrayOutputStream out, long value) {
        long rest = value;
        while (Long.compareUnsigned(rest, 0x80) >= 0) {
            out.write((int) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private static void put(ByteArrayOutputStream out, LtxChecksum checksum, byte[] bytes) {
        out.writeBytes(bytes);
        checksum.update(bytes, 0, bytes.length);
    }

    /** One page frame; {@code page} is what the checksum covers. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Frame(long pgno, int flags, @Nullable Integer sizeField, byte[] data, byte[] page) {
        byte[] header() {
            ByteBuffer out = ByteBuffer.allocate(sizeField == null ? 6 : 10);
            out.putInt((int) pgno).putShort((short) flags);
            if (sizeField != null) {
                out.putInt(sizeField);
            }
            return out.array();
        }

        int size() {
            return header().length + data.length;
        }
    }
}
