package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.testing.EngineFixture;
import org.litestream4j.testing.SqliteFixture;

/** An in-place restore whose last write to the WAL takes effect and reports an error: SQLite does not count it. */
class InPlaceWriteFaultTest extends EngineFixture {

    /** Fails the write of a commit frame's page once, after it took effect, while a certain file exists. */
    private static final String SHIM =
            """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <errno.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            static char commits[65536];
            static ssize_t answer(int fd, const void *bytes, size_t size, ssize_t written) {
              char link[64], path[4096];
              const char *armed = getenv("FAULT_FILE");
              snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
              ssize_t length = readlink(link, path, sizeof path - 1);
              if (!armed || length < 4 || memcmp(path + length - 4, "-wal", 4)) return written;
              if (size == 24) {
                const unsigned char *header = bytes;
                commits[fd & 65535] = (header[4] | header[5] | header[6] | header[7]) != 0;
              } else if (commits[fd & 65535]) {
                commits[fd & 65535] = 0;
                if (unlink(armed) == 0) { errno = EIO; return -1; }
              }
              return written;
            }
            ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
              ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
              return answer(fd, bytes, size, real(fd, bytes, size, at));
            }
            ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
              ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
              return answer(fd, bytes, size, real(fd, bytes, size, at));
            }
            """;

    private Path shim() throws IOException, InterruptedException {
        Path source = Files.writeString(folder.resolve("shim.c"), SHIM);
        Path library = folder.resolve("shim.so");
        try {
            Process compiler = new ProcessBuilder(
                            "cc", "-shared", "-fPIC", "-o", library.toString(), source.toString(), "-ldl")
                    .inheritIO()
                    .start();
            assertThat(compiler.waitFor()).isZero();
        } catch (IOException e) {
            assumeTrue(false, "only where there is a C compiler: " + e.getMessage());
        }
        return library;
    }

    @Test
    void lastWriteFailsAfterTakingEffect_noAcknowledgedCommitIsLost() throws Exception {
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        InPlaceWriteFaultChild.class.getName(),
                        path.toString(),
                        replica.toString(),
                        folder.resolve("armed").toString()))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("child.out").toFile());
        builder.environment().put("LD_PRELOAD", shim().toString());
        builder.environment().put("FAULT_FILE", folder.resolve("armed").toString());
        Process child = builder.start();
        try {
            assertThat(child.waitFor(90, TimeUnit.SECONDS)).isTrue();
        } finally {
            child.destroyForcibly();
        }
        String output = Files.readString(folder.resolve("child.out"));
        assertThat(child.exitValue()).as(output).isZero();
        assertThat(output).contains("fault fired", "rows 12");
        Path restored = folder.resolve("restored.db");
        try (ReplicaClient client =
                Replicas.open(ReplicaLocation.of(replica.toUri().toString()))) {
            Restore.restore(client, restored, RestoreOptions.defaults());
        }
        assertThat(SqliteFixture.integrity(restored)).isEqualTo("ok");
        assertThat(restored).hasSameBinaryContentAs(path);
    }
}
