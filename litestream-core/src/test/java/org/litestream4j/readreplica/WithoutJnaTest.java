package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.internal.vfs.VfsFixture;
import org.litestream4j.testing.ChildProcess;

/** A process without JNA restores the database first, and says why. */
class WithoutJnaTest {

    @TempDir
    Path folder;

    /** Opens a replica and prints what a query gives. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws Exception {
            try (ReadReplica replica = ReadReplica.open(args[0]);
                    Connection connection = replica.dataSource().getConnection()) {
                System.out.println("rows: " + VfsFixture.rows(connection, "SELECT count(*) FROM t"));
                System.out.println("reason: " + replica.status().fallback());
            }
        }
    }

    @Test
    void api_worksByRestoring() throws Exception {
        SqlReplica replica = new SqlReplica(folder.resolve("replica"));
        try (Connection primary = VfsFixture.primary(folder.resolve("a.db"), 100)) {
            replica.add(primary);
        }
        String classPath = Arrays.stream(
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                                .split(File.pathSeparator, -1))
                .filter(entry -> !entry.contains(File.separator + "jna-5"))
                .collect(Collectors.joining(File.pathSeparator));
        try (ChildProcess child =
                ChildProcess.start(folder.resolve("out"), Map.of(), List.of(), classPath, Child.class, replica.url())) {
            assertThat(child.awaitExit(60)).isTrue();
            assertThat(child.output())
                    .contains("rows: 100")
                    .contains("reason: JNA is missing; add the dependency net.java.dev.jna:jna")
                    .contains("restoring the database before it is queried");
        }
    }
}
