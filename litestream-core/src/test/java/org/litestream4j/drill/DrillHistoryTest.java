package org.litestream4j.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.ltx.Txid;

/** The history on disk gives back what it was given, and does not grow. */
class DrillHistoryTest {

    @TempDir
    Path folder;

    private Path file;
    private DrillHistory history;

    @BeforeEach
    void open() {
        file = folder.resolve("new/history.sqlite");
        history = new DrillHistory(file);
    }

    private static DrillReport report(
            String database, long second, List<DrillFinding> findings, @Nullable String problem) {
        DrilledState newest = new DrilledState(
                "newest state", new Txid(9), Instant.ofEpochMilli(1234), 8192, 3, 700, true, Duration.ofMillis(17));
        DrilledState past = new DrilledState(
                "state of time x", new Txid(4), Instant.EPOCH, 4096, 1, 300, false, Duration.ofMillis(5));
        return new DrillReport(
                database,
                "s3://b/app",
                DrillReport.outcome(findings, problem),
                Instant.ofEpochSecond(second),
                Duration.ofMillis(3210),
                new Txid(9),
                newest,
                problem == null ? past : null,
                findings,
                problem,
                Map.of("LIST", 3L, "GET", 12L),
                1000,
                21);
    }

    @Test
    void reports_comeBackNewestFirst() throws IOException {
        DrillReport passed = report("app", 10, List.of(), null);
        DrillReport failed = report(
                "app",
                20,
                List.of(
                        new DrillFinding(DrillFinding.Kind.MISSING, "a 'gap'"),
                        new DrillFinding(DrillFinding.Kind.CHECK, "b")),
                null);
        DrillReport inconclusive = report("app", 30, List.of(), "store away");
        for (DrillReport report : List.of(passed, failed, inconclusive, report("other", 40, List.of(), null))) {
            history.add(report);
        }
        assertThat(new DrillHistory(file).reports("app")).containsExactly(inconclusive, failed, passed);
        assertThat(history.reports("unknown")).isEmpty();
    }

    @Test
    void last30OfEachDatabase_areKept() throws IOException {
        history.add(report("other", 1, List.of(), null));
        for (int i = 0; i < 33; i++) {
            history.add(report("app", i, List.of(), null));
        }
        assertThat(history.reports("app"))
                .hasSize(DrillHistory.MAX_REPORTS)
                .extracting(report -> report.startedAt().getEpochSecond())
                .startsWith(32L)
                .endsWith(3L);
        assertThat(history.reports("other")).hasSize(1);
    }

    @Test
    void missingFile_isAnEmptyHistory() throws IOException {
        assertThat(history.reports("app")).isEmpty();
        assertThat(file).doesNotExist();
    }

    @Test
    void fileThatIsNoDatabase_isAnErrorThatNamesIt() throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "no database, but long enough to be taken for one".repeat(100));
        assertThatThrownBy(() -> history.reports("app"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString());
    }
}
