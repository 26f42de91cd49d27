package org.litestream4j.internal.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnerLockTest {

    @TempDir
    Path folder;

    @Test
    void secondLockOfTheProcess_isRefusedUntilTheFirstIsClosed() throws Exception {
        try (OwnerLock second = new OwnerLock(folder)) {
            try (OwnerLock first = new OwnerLock(folder)) {
                assertThat(first.tryAcquire()).isTrue();
                assertThat(first.tryAcquire()).isTrue();
                assertThat(second.tryAcquire()).isFalse();
            }
            assertThat(second.tryAcquire()).isTrue();
        }
    }

    @Test
    void lockOfAnotherClassLoader_isSeen() throws Exception {
        URL classes = OwnerLock.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {classes}, ClassLoader.getPlatformClassLoader())) {
            Class<?> type = loader.loadClass(OwnerLock.class.getName());
            assertThat(type).isNotSameAs(OwnerLock.class);
            Constructor<?> constructor = type.getDeclaredConstructor(Path.class);
            constructor.setAccessible(true);
            Method tryAcquire = type.getDeclaredMethod("tryAcquire");
            tryAcquire.setAccessible(true);
            Method close = type.getDeclaredMethod("close");
            close.setAccessible(true);
            Object theirs = constructor.newInstance(folder);
            try (OwnerLock ours = new OwnerLock(folder)) {
                assertThat(ours.tryAcquire()).isTrue();
                assertThat(tryAcquire.invoke(theirs)).isEqualTo(false);
            }
            assertThat(tryAcquire.invoke(theirs)).isEqualTo(true);
            try (OwnerLock ours = new OwnerLock(folder)) {
                assertThat(ours.tryAcquire()).isFalse();
                close.invoke(theirs);
                assertThat(ours.tryAcquire()).isTrue();
            }
        }
    }

    /** As two paths through a bind mount. */
    @Test
    void lockFileUnderAnotherName_isSeen_andTheLockIsKept() throws Exception {
        Path other = Files.createDirectory(folder.resolve("other"));
        try (OwnerLock first = new OwnerLock(folder);
                OwnerLock second = new OwnerLock(other)) {
            assertThat(first.tryAcquire()).isTrue();
            Files.createLink(other.resolve("lock"), folder.resolve("lock"));
            assertThat(second.tryAcquire()).isFalse();
            assertThat(isLocked(folder.resolve("lock"))).isTrue();
        }
    }

    /** Locked without a mark, as by a version of this library that a class loader keeps, which names files otherwise. */
    @Test
    void lockWithoutAMark_isKept() throws Exception {
        Path lock = folder.resolve("lock");
        try (OwnerLock second = new OwnerLock(folder)) {
            try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                assertThat(channel.tryLock()).isNotNull();
                assertThat(second.tryAcquire()).isFalse();
                assertThat(second.tryAcquire()).isFalse();
                assertThat(isLocked(lock)).isTrue();
            }
            assertThat(second.tryAcquire()).isTrue();
        }
    }

    @Test
    void lockFileThatWasDeletedOrReplaced_isNoticed() throws Exception {
        OwnerLock lock = new OwnerLock(folder);
        try {
            assertThat(lock.isLost()).isFalse();
            assertThat(lock.tryAcquire()).isTrue();
            assertThat(lock.isLost()).isFalse();
            Files.delete(folder.resolve("lock"));
            assertThat(lock.isLost()).isTrue();
            Files.createFile(folder.resolve("lock"));
            assertThat(lock.isLost()).isTrue();
            lock.close();
            assertThat(lock.tryAcquire()).isTrue();
            assertThat(lock.isLost()).isFalse();
        } finally {
            lock.close();
        }
    }

    /** As the kernel sees it: POSIX locks of this process on the file's inode. */
    private static boolean isLocked(Path file) throws Exception {
        Path locks = Path.of("/proc/locks");
        assumeTrue(Files.exists(locks), "only where the kernel lists locks");
        String inode = ":" + Files.getAttribute(file, "unix:ino") + " ";
        return Files.readAllLines(locks).stream().anyMatch(line -> line.contains("POSIX") && line.contains(inode));
    }
}
