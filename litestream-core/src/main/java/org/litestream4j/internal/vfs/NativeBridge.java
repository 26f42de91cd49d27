package org.litestream4j.internal.vfs;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import com.sun.jna.SymbolProvider;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Memory and functions outside the JVM, through JNA. Addresses are {@code long}; 0 is C's {@code NULL}. Everything that
 * is handed to C stays reachable for the life of the process: SQLite keeps it, and a callback that was collected ends the
 * process.
 */
final class NativeBridge {

    private static final List<Object> REACHABLE = Collections.synchronizedList(new ArrayList<>());

    private NativeBridge() {}

    // The shapes of the functions that SQLite calls: P pointer, I int, J 64-bit integer.

    /** {@code int f(void*)}. */
    interface P extends Callback {
        int call(long a);
    }

    /** {@code int f(void*, int)}. */
    interface PI extends Callback {
        int call(long a, int b);
    }

    /** {@code int f(void*, void*)}, or with a 64-bit integer second. */
    interface PP extends Callback {
        int call(long a, long b);
    }

    /** {@code int f(void*, int, void*)}. */
    interface PIP extends Callback {
        int call(long a, int b, long c);
    }

    /** {@code int f(void*, void*, int)}. */
    interface PPI extends Callback {
        int call(long a, long b, int c);
    }

    /** {@code int f(void*, void*, void*)}. */
    interface PPP extends Callback {
        int call(long a, long b, long c);
    }

    /** {@code int f(void*, void*, int, void*)}, or with a 64-bit integer last. */
    interface PPIP extends Callback {
        int call(long a, long b, int c, long d);
    }

    /** {@code int f(void*, void*, void*, int, void*)}. */
    interface PPPIP extends Callback {
        int call(long a, long b, long c, int d, long e);
    }

    /** {@code void* f(void*, void*, void*)}; the third may be absent. */
    interface Address extends Callback {
        long call(long a, long b, long c);
    }

    /** Allocates zeroed memory that is never freed. */
    static long allocate(long bytes) {
        Memory memory = new Memory(bytes);
        memory.clear();
        REACHABLE.add(memory);
        return Pointer.nativeValue(memory);
    }

    /** Allocates a C string that is never freed. */
    static long string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        long address = allocate(bytes.length + 1L);
        write(address, bytes);
        return address;
    }

    static int getInt(long address) {
        return new Pointer(address).getInt(0);
    }

    static void putInt(long address, int value) {
        new Pointer(address).setInt(0, value);
    }

    static long getLong(long address) {
        return new Pointer(address).getLong(0);
    }

    static void putLong(long address, long value) {
        new Pointer(address).setLong(0, value);
    }

    static void write(long address, byte[] bytes) {
        new Pointer(address).write(0, bytes, 0, bytes.length);
    }

    static void zero(long address, long bytes) {
        new Pointer(address).setMemory(0, bytes, (byte) 0);
    }

    /** Returns a buffer over memory of C, big-endian as SQLite's files are. */
    static ByteBuffer view(long address, int bytes) {
        return new Pointer(address).getByteBuffer(0, bytes).order(ByteOrder.BIG_ENDIAN);
    }

    /** Returns a C string in UTF-8; null for {@code NULL}. */
    static @Nullable String text(long address) {
        return address == 0 ? null : new Pointer(address).getString(0, StandardCharsets.UTF_8.name());
    }

    /** Returns a C function that calls back. */
    static long function(Callback callback) {
        REACHABLE.add(callback);
        return Pointer.nativeValue(Libc.memmove(callback, new Pointer(1), 0));
    }

    /**
     * Binds the native methods of a class to functions at known addresses.
     *
     * @param addresses by the names of the methods
     */
    static void bind(Class<?> type, Map<String, Long> addresses) {
        SymbolProvider provider = (handle, name, parent) -> {
            Long address = addresses.get(name);
            if (address == null) {
                throw new UnsatisfiedLinkError(name);
            }
            return address;
        };
        NativeLibrary library = NativeLibrary.getInstance(Libc.NAME, Map.of(Library.OPTION_SYMBOL_PROVIDER, provider));
        REACHABLE.add(library);
        Native.register(type, library);
    }

    /**
     * C's library. JNA makes a callback of the fast kind, without reflection, if it is an argument of a native method;
     * {@code memmove} of no bytes returns its address.
     */
    private static final class Libc {

        private static final String NAME = Platform.isWindows() ? "msvcrt" : Platform.C_LIBRARY_NAME;

        static {
            NativeLibrary library = NativeLibrary.getInstance(NAME);
            REACHABLE.add(library);
            Native.register(Libc.class, library);
        }

        private Libc() {}

        static native Pointer memmove(Callback to, Pointer from, long bytes);
    }
}
