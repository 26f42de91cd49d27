package org.litestream4j.internal.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Cumulative checksum of header and frames: two 32-bit sums over 32-bit words. Not thread-safe. */
final class WalChecksum {

    private static final VarHandle BIG = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LITTLE = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private final boolean bigEndian;
    private int s0;
    private int s1;

    WalChecksum(boolean bigEndian, int s0, int s1) {
        this.bigEndian = bigEndian;
        this.s0 = s0;
        this.s1 = s1;
    }

    /** @param length number of bytes, a multiple of 8 */
    void update(byte[] bytes, int offset, int length) {
        if (bigEndian) {
            updateBig(bytes, offset, length);
        } else {
            updateLittle(bytes, offset, length);
        }
    }

    private void updateBig(byte[] bytes, int offset, int length) {
        int a = s0;
        int b = s1;
        for (int i = offset; i < offset + length; i += 8) {
            a += (int) BIG.get(bytes, i) + b;
            b += (int) BIG.get(bytes, i + 4) + a;
        }
        s0 = a;
        s1 = b;
    }

    private void updateLittle(byte[] bytes, int offset, int length) {
        int a = s0;
        int b = s1;
        for (int i = offset; i < offset + length; i += 8) {
            a += (int) LITTLE.get(bytes, i) + b;
            b += (int) LITTLE.get(bytes, i + 4) + a;
        }
        s0 = a;
        s1 = b;
    }

    boolean matches(int first, int second) {
        return s0 == first && s1 == second;
    }

    int first() {
        return s0;
    }

    int second() {
        return s1;
    }
}
