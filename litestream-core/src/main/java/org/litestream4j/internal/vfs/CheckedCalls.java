package org.litestream4j.internal.vfs;

import com.sun.jna.Callback;
import com.sun.jna.Function;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.SqliteCode;

/**
 * C functions that call back and for which a callback that could not run is an error. JNA returns 0 for such a callback,
 * for example near the end of the stack, and 0 is SQLite's OK: SQLite would take old bytes for a page. Here, the callback
 * returns its result code with the bits of {@link SqliteCode#IOERR_READ} inverted, and a few instructions between SQLite
 * and JNA invert them again. A 0 that no callback returned becomes {@code IOERR_READ}.
 *
 * <p>Where there are no such instructions, or where the system refuses memory for them, callbacks are
 * {@link #unchecked}: their callers must make sure that the stack suffices.
 */
final class CheckedCalls {

    private static final int SIZE = 1 << 16; // a whole number of pages on each system

    private static final int SLOT = 64;

    private final @Nullable MachineCode machine;
    private final ByteBuffer code;
    private final long memory;

    private CheckedCalls(@Nullable MachineCode machine, long memory) {
        this.machine = machine;
        this.memory = memory;
        this.code = MachineCode.buffer(machine == null ? 0 : SIZE);
    }

    /** Returns checked calls if this machine allows them, otherwise unchecked ones. */
    static CheckedCalls create() {
        MachineCode machine = MachineCode.ofThisMachine();
        long memory = machine == null ? 0 : ExecutableMemory.map(SIZE);
        if (machine != null && memory != 0 && works(machine)) {
            return new CheckedCalls(machine, memory);
        }
        return unchecked();
    }

    /** Returns calls that take the 0 of a callback that could not run for OK. */
    static CheckedCalls unchecked() {
        return new CheckedCalls(null, 0);
    }

    boolean areChecked() {
        return machine != null;
    }

    /** @throws IOException if callbacks are unchecked and the caller of SQLite did not make sure that the stack suffices */
    void requireSafe() throws IOException {
        if (machine == null && !StackProbe.isGuarding()) {
            throw new IOException("on this platform, read replicas can be read only through ReadReplica.dataSource()");
        }
    }

    /** Returns the result of a callback for a result code of SQLite. */
    int result(int code) {
        return machine == null ? code : code ^ SqliteCode.IOERR_READ;
    }

    /** Adds a function that returns a result code; the callback returns it through {@link #result}. */
    long function(Callback callback) {
        long target = NativeBridge.function(callback);
        if (machine == null) {
            return target;
        }
        long address = next();
        machine.checked(code, target, SqliteCode.IOERR_READ);
        return address;
    }

    /** Adds a function without a result; the callback returns 1, and {@code failed} is called for any that does not. */
    long function(Callback callback, long failed) {
        long target = NativeBridge.function(callback);
        if (machine == null) {
            return target;
        }
        long address = next();
        machine.reporting(code, target, failed);
        return address;
    }

    private long next() {
        code.position((code.position() + SLOT - 1) / SLOT * SLOT);
        return memory + code.position();
    }

    /** Makes the functions callable; none can be added any more. */
    void finish() {
        if (machine != null) {
            byte[] instructions = new byte[code.position()];
            code.get(0, instructions);
            ExecutableMemory.write(memory, instructions, SIZE);
        }
    }

    /** Calls functions of each kind whose callbacks run, and whose callbacks return 0 as if they had not run. */
    private static boolean works(MachineCode machine) {
        long memory = ExecutableMemory.map(SIZE);
        if (memory == 0) {
            return false;
        }
        CheckedCalls tried = new CheckedCalls(machine, memory);
        NativeBridge.PPPIP sum = (a, b, c, d, e) -> tried.result((int) (a + 2 * b + 3L * c + 4L * d + 5 * e));
        NativeBridge.PPPIP failing = (a, b, c, d, e) -> 0;
        long[] reported = {0, 0};
        long reporter = NativeBridge.function((NativeBridge.P) a -> {
            reported[1] = a;
            return 0;
        });
        NativeBridge.PIP done = (a, b, c) -> {
            reported[0] = a + b + c;
            return 1;
        };
        NativeBridge.PIP undone = (a, b, c) -> 0;
        long[] functions = {
            tried.function(sum),
            tried.function(failing),
            tried.function(done, reporter),
            tried.function(undone, reporter)
        };
        try {
            tried.finish();
        } catch (UnsupportedOperationException e) {
            return false;
        }
        if (call(functions[0], 10L, 20L, 30L, 40, 50L) != 550
                || call(functions[0], 0L, 0L, 0L, 0, 0L) != 0
                || call(functions[1], 10L, 20L, 30L, 40, 50L) != SqliteCode.IOERR_READ) {
            return false;
        }
        call(functions[2], 1L, 2, 3L);
        boolean ran = reported[0] == 6 && reported[1] == 0;
        call(functions[3], 1L << 40, 2, 3L);
        return ran && reported[1] == 1L << 40;
    }

    private static int call(long function, Object... arguments) {
        return Function.getFunction(new Pointer(function)).invokeInt(arguments);
    }

    /** Memory for instructions on Linux: written first, then made executable and read-only. */
    private static final class ExecutableMemory {

        private static final int READ_WRITE = 3;
        private static final int READ_EXECUTE = 5;
        private static final int PRIVATE_ANONYMOUS = 0x22;

        static {
            Native.register(ExecutableMemory.class, NativeLibrary.getInstance(Platform.C_LIBRARY_NAME));
        }

        private ExecutableMemory() {}

        static native long mmap(long address, long length, int protection, int flags, int file, long offset);

        static native int mprotect(long address, long length, int protection);

        static long map(int size) {
            long address = mmap(0, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
            return address == -1 ? 0 : address;
        }

        static void write(long address, byte[] code, int size) {
            NativeBridge.write(address, code);
            if (mprotect(address, size, READ_EXECUTE) != 0) {
                throw new UnsupportedOperationException("the system allows no executable memory");
            }
        }
    }
}
