package org.litestream4j.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
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
}
