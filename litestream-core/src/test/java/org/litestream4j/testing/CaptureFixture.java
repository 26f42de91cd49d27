package org.litestream4j.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import org.litestream4j.internal.capture.Capture;
import org.litestream4j.internal.capture.CaptureListener;
import org.litestream4j.internal.capture.CaptureSettings;
import org.litestream4j.ltx.PageEncoding;

/** Capture alone, without an engine around it. */
public final class CaptureFixture {

    private CaptureFixture() {}

    /** Owns and attaches {@code app.db} of a folder, with the local state in {@code meta} beside it. */
    public static Capture attach(Path folder, boolean databaseChecksum) throws Exception {
        Capture capture = new Capture(
                new CaptureSettings(
                        folder.resolve("app.db"),
                        folder.resolve("meta"),
                        Duration.ofSeconds(5),
                        Duration.ofMillis(1),
                        1,
                        100,
                        1 << 20,
                        PageEncoding.BLOCK,
                        databaseChecksum),
                Clock.systemUTC(),
                CaptureListener.NONE);
        assertThat(capture.acquireLocalState()).isTrue();
        capture.attach();
        return capture;
    }

    /** Whoever crashes leaves the WAL as it is where somebody else has the database open. */
    public static void crash(Capture capture) throws Exception {
        capture.close();
        capture.releaseLocalState();
    }
}
