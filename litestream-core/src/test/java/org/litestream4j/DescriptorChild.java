package org.litestream4j;

import static org.litestream4j.testing.SqliteFixture.execute;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.testing.EngineFixture;

/** Commits while no file can be opened any more: {@code DescriptorChild database replica}; does what its input says. */
final class DescriptorChild {

    private DescriptorChild() {}

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        List<AutoCloseable> taken = new ArrayList<>();
        try (Litestream litestream = EngineFixture.litestream()) {
            ManagedDatabase database = litestream.register(
                    EngineFixture.config(Path.of(args[0]), Path.of(args[1])).build());
            try (Connection connection = EngineFixture.open(database)) {
                execute(connection, "INSERT INTO t VALUES (1)");
                database.sync(Duration.ofSeconds(30));
                System.out.println("child: ready");
                for (String line = in.readLine(); !"end".equals(line); line = in.readLine()) {
                    if ("take".equals(line)) {
                        take(taken);
                        commit(connection);
                        awaitError(database);
                    } else {
                        for (AutoCloseable each : taken) {
                            each.close();
                        }
                        execute(connection, "INSERT INTO t VALUES (1)");
                        database.sync(Duration.ofSeconds(30));
                        System.out.println("child: replicated 21");
                    }
                }
            }
        }
    }

    private static void take(List<AutoCloseable> taken) {
        try {
            while (true) {
                taken.add(Files.newInputStream(Path.of("/dev/null")));
            }
        } catch (IOException none) {
            System.out.println("child: took " + taken.size());
        }
    }

    private static void commit(Connection connection) throws Exception {
        for (int i = 1; i <= 20; i++) {
            execute(connection, "INSERT INTO t VALUES (zeroblob(20000))");
        }
        System.out.println("child: committed 20");
    }

    private static void awaitError(ManagedDatabase database) throws InterruptedException {
        while (database.status().lastError() == null) {
            Thread.sleep(10);
        }
        System.out.println("child: " + database.status().lastError());
    }
}
