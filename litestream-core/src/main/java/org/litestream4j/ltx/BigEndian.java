package org.litestream4j.ltx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads and writes big-endian numbers, the byte order of LTX files. */
final class BigEndian {

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private BigEndian() {}

    static int unsignedShort(byte[] in, int offset) {
        return (short) SHORT.get(in, offset) & 0xFFFF;
    }

    static int getInt(byte[] in, int offset) {
        return (int) INT.get(in, offset);
    }

    static long unsignedInt(byte[] in, int offset) {
        return Integer.toUnsignedLong((int) INT.get(in, offset));
    }

    static long getLong(byte[] in, int offset) {
        return (long) LONG.get(in, offset);
    }

    static void putShort(byte[] out, int offset, int value) {
        SHORT.set(out, offset, (short) value);
    }

    static void putInt(byte[] out, int offset, int value) {
        INT.set(out, offset, value);
    }

    static void putLong(byte[] out, int offset, long value) {
        LONG.set(out, offset, value);
    }
}
