package org.litestream4j;

import java.nio.file.Path;
import java.time.Duration;
import org.litestream4j.testing.EngineFixture;

/**
 * An engine in a process of its own: {@code EngineChild database replica [milliseconds that level-0 files are kept]}. Tells its
 * state, and ends after a line of input.
 */
final class EngineChild {

    private EngineChild() {}

    public static void main(String[] args) throws Exception {
        try (Litestream litestream = EngineFixture.litestream()) {
            DatabaseConfig.Builder config = EngineFixture.config(Path.of(args[0]), Path.of(args[1]));
            if (args.length > 2) {
                config.level0Retention(Duration.ofMillis(Long.parseLong(args[2])));
            }
            ManagedDatabase database = litestream.register(config.build());
            DatabaseState told = null;
            while (System.in.available() == 0) {
                DatabaseState state = database.status().state();
                if (state != told) {
                    System.out.println("engine: " + state);
                    told = state;
                }
                Thread.sleep(10);
            }
        }
        System.out.println("engine: closed");
    }
}
