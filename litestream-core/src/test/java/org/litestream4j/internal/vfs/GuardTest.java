package org.litestream4j.internal.vfs;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.DriverManager;
import org.junit.jupiter.api.Test;

/** A driver with another layout is found out by reading, before anything is written or called. */
class GuardTest {

    @Test
    void handles_thatAreNoPointers_areRefused() {
        for (long handle : new long[] {0, 8, 0xFFFF, 1L << 60, 0x7000_0000_0001L, 0x7FFF_FFFF_FFF8L}) {
            assertThatThrownBy(() -> DriverLayout.defaultVfs(handle, handle))
                    .isInstanceOf(VfsUnsupportedException.class)
                    .hasMessageContaining("not supported");
        }
    }

    @Test
    void firstWord_thatIsNoSharedVfs_isRefused() {
        long one = NativeBridge.allocate(64);
        long other = NativeBridge.allocate(64);
        NativeBridge.putLong(one, NativeBridge.allocate(168));
        NativeBridge.putLong(other, NativeBridge.allocate(168));
        refuses(one, other, "first word");
        NativeBridge.putLong(other, NativeBridge.getLong(one));
        refuses(one, other, "VFS version");
        NativeBridge.putLong(one, 0x7000_0000_0000L); // mapped nowhere
        NativeBridge.putLong(other, 0x7000_0000_0000L);
        refuses(one, other, "first word");
    }

    @Test
    void vfs_thatLooksOtherwise_isRefused() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:")) {
            long real = NativeBridge.getLong(DriverLayout.handle(connection));
            refuses(changed(real, 4, 7), "size of a file");
            refuses(changed(real, 8, 1), "length of a path");
            refuses(changed(real, -1, 0), "VFS name"); // a copy lies elsewhere than its name
        }
    }

    /** A connection whose VFS is a changed copy. */
    private static long changed(long vfs, int offset, int value) {
        long copy = NativeBridge.allocate(168);
        for (int i = 0; i < 168; i += 8) {
            NativeBridge.putLong(copy + i, NativeBridge.getLong(vfs + i));
        }
        if (offset >= 0) {
            NativeBridge.putInt(copy + offset, value);
        }
        long handle = NativeBridge.allocate(64);
        NativeBridge.putLong(handle, copy);
        return handle;
    }

    private static void refuses(long handle, String what) {
        refuses(handle, handle, what);
    }

    private static void refuses(long one, long other, String what) {
        assertThatThrownBy(() -> DriverLayout.defaultVfs(one, other))
                .isInstanceOf(VfsUnsupportedException.class)
                .hasMessageContaining(what);
    }

    @Test
    void narrowJvm_isRefused() {
        assertThatThrownBy(() -> Environment.check(4)).hasMessageContaining("use a 64-bit one");
    }
}
