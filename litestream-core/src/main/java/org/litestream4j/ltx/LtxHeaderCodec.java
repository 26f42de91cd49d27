package org.litestream4j.ltx;

import java.nio.ByteBuffer;

/** Encodes and decodes the 100 bytes of an {@link LtxHeader}, big-endian; the order of the calls is the layout. */
final class LtxHeaderCodec {

    static final int SIZE = 100;
    static final int PRE_APPLY_CHECKSUM_OFFSET = 40;
    static final int PAGE_SIZE_OFFSET = 8;
    static final int MIN_TXID_OFFSET = 16;

    private static final int MAGIC = 0x4C54_5831; // "LTX1"

    private LtxHeaderCodec() {}

    /** Encodes a header. The last 20 bytes are reserved and stay zero. */
    static byte[] encode(LtxHeader header) {
        byte[] out = new byte[SIZE];
        ByteBuffer.wrap(out)
                .putInt(MAGIC)
                .putInt(header.flags())
                .putInt(header.pageSize())
                .putInt((int) header.commit())
                .putLong(header.minTxid().value())
                .putLong(header.maxTxid().value())
                .putLong(header.timestampMillis())
                .putLong(header.preApplyChecksum())
                .putLong(header.wal().offset())
                .putLong(header.wal().size())
                .putInt(header.wal().salt1())
                .putInt(header.wal().salt2())
                .putLong(header.nodeId());
        return out;
    }

    static LtxHeader decode(byte[] bytes, String source) throws LtxFormatException {
        if (bytes.length < SIZE) {
            throw new LtxFormatException(source, bytes.length, "length", "the file ends inside its header");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int magic = in.getInt();
        if (magic != MAGIC) {
            throw new LtxFormatException(source, 0, "magic", Integer.toHexString(magic) + ", this is not an LTX file");
        }
        try {
            return new LtxHeader(
                    in.getInt(),
                    in.getInt(),
                    Integer.toUnsignedLong(in.getInt()),
                    new Txid(in.getLong()),
                    new Txid(in.getLong()),
                    in.getLong(),
                    in.getLong(),
                    new WalRange(in.getLong(), in.getLong(), in.getInt(), in.getInt()),
                    in.getLong());
        } catch (InvalidFieldException e) { // invalid input, not an error of the caller
            throw new LtxFormatException(source, offset(e.field()), e.field(), e.detail(), e);
        }
    }

    private static int offset(String field) {
        return switch (field) {
            case "flags" -> 4;
            case "page size" -> PAGE_SIZE_OFFSET;
            case "commit" -> 12;
            case "min TXID" -> MIN_TXID_OFFSET;
            case "max TXID" -> 24;
            case "pre-apply checksum" -> PRE_APPLY_CHECKSUM_OFFSET;
            case "WAL offset" -> 48;
            case "WAL size" -> 56;
            case "WAL salts" -> 64;
            default -> throw new IllegalStateException(field);
        };
    }
}
