package org.litestream4j.internal.vfs;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The instructions of {@link CheckedCalls}, for one kind of processor. Position-independent; each at most 64 bytes. */
enum MachineCode {

    /** Calling convention System V. */
    AMD64 {
        @Override
        void checked(ByteBuffer code, long target, int mask) {
            put(code, 0x48, 0x83, 0xEC, 0x08); // sub rsp, 8: aligned to 16 at the call
            moveToRax(code, target);
            put(code, 0xFF, 0xD0); // call rax
            put(code, 0x35); // xor eax, mask
            code.putInt(mask);
            put(code, 0x48, 0x83, 0xC4, 0x08); // add rsp, 8
            put(code, 0xC3); // ret
        }

        @Override
        void reporting(ByteBuffer code, long target, long failed) {
            put(code, 0x57); // push rdi
            moveToRax(code, target);
            put(code, 0xFF, 0xD0); // call rax
            put(code, 0x5F); // pop rdi
            put(code, 0x85, 0xC0); // test eax, eax
            put(code, 0x75, 0x0C); // jnz ret
            moveToRax(code, failed);
            put(code, 0xFF, 0xE0); // jmp rax
            put(code, 0xC3); // ret
        }

        private static void moveToRax(ByteBuffer code, long value) {
            put(code, 0x48, 0xB8);
            code.putLong(value);
        }
    },

    /** Calling convention AAPCS64. */
    AARCH64 {
        @Override
        void checked(ByteBuffer code, long target, int mask) {
            code.putInt(0xA9BF7BFD); // stp x29, x30, [sp, #-16]!
            code.putInt(0x910003FD); // mov x29, sp
            code.putInt(0x580000D0); // ldr x16, target
            code.putInt(0xD63F0200); // blr x16
            code.putInt(0x180000D1); // ldr w17, mask
            code.putInt(0x4A110000); // eor w0, w0, w17
            code.putInt(0xA8C17BFD); // ldp x29, x30, [sp], #16
            code.putInt(0xD65F03C0); // ret
            code.putLong(target);
            code.putInt(mask);
        }

        @Override
        void reporting(ByteBuffer code, long target, long failed) {
            code.putInt(0xA9BE7BFD); // stp x29, x30, [sp, #-32]!
            code.putInt(0x910003FD); // mov x29, sp
            code.putInt(0xF9000BE0); // str x0, [sp, #16]
            code.putInt(0x58000130); // ldr x16, target
            code.putInt(0xD63F0200); // blr x16
            code.putInt(0x2A0003F1); // mov w17, w0
            code.putInt(0xF9400BE0); // ldr x0, [sp, #16]
            code.putInt(0xA8C27BFD); // ldp x29, x30, [sp], #32
            code.putInt(0x35000071); // cbnz w17, ret
            code.putInt(0x580000B0); // ldr x16, failed
            code.putInt(0xD61F0200); // br x16
            code.putInt(0xD65F03C0); // ret
            code.putLong(target);
            code.putLong(failed);
        }
    };

    /** Appends a function that calls another one and returns its result with the bits of the mask inverted. */
    abstract void checked(ByteBuffer code, long target, int mask);

    /**
     * Appends a function that calls another one and, if that returns 0, {@code failed} with the same first argument.
     */
    abstract void reporting(ByteBuffer code, long target, long failed);

    private static void put(ByteBuffer code, int... bytes) {
        for (int each : bytes) {
            code.put((byte) each);
        }
    }

    /** Returns an empty buffer for the instructions. */
    static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns the kind of this machine; null if there are no instructions for it, or if they were never tried on it. */
    static @Nullable MachineCode ofThisMachine() {
        return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
    }

    static @Nullable MachineCode of(String system, String processor) {
        if (!system.equals("Linux")) {
            return null;
        }
        return switch (processor.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> AMD64;
            case "aarch64" -> AARCH64;
            default -> null;
        };
    }
}
