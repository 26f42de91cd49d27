package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.restore.RestoreProgress.Phase;

class ProgressLineTest {

    private static RestoreProgress progress(Phase phase) {
        return new RestoreProgress(
                phase, 50_000_000, 200_000_000, 10, 40, 3, 7, Duration.ofSeconds(3), Duration.ofSeconds(2));
    }

    @Test
    void text_whileReading_saysHowFarAndHowLong() {
        assertThat(ProgressLine.text(progress(Phase.READING)))
                .isEqualTo("reading [######..................] 50.0 of 200.0 MB, file 3 of 7, 25.0 MB/s, 7 s left");
        assertThat(ProgressLine.text(progress(Phase.CHECKING))).isEqualTo("checking");
    }

    @Test
    void onProgress_shorterText_coversTheLongerOne() {
        StringWriter text = new StringWriter();
        try (ProgressLine line = new ProgressLine(new PrintWriter(text))) {
            line.onProgress(progress(Phase.PUBLISHING));
            line.onProgress(progress(Phase.DONE));
        }
        assertThat(text).hasToString("\rpublishing\rdone      \r    \r");
    }
}
