package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code docs/metrics.md} promises of {@code /actuator/prometheus}, with the packaged application. */
class SampleAppMetricsIT {

    private static final Path REFERENCE = Path.of("../docs/metrics.md");
    private static final Pattern ROW = Pattern.compile("\\| `litestream\\.[^|]+ \\| ([^|]+) \\|.*");
    private static final Pattern NAME = Pattern.compile("`(litestream_[a-z0-9_]+)`");
    private static final Pattern SAMPLE = Pattern.compile("(?m)^(litestream_[a-z0-9_]+)\\{");

    @TempDir
    Path folder;

    @Test
    void scrape_hasEveryDocumentedName_andNoOther() throws Exception {
        try (SampleProcess app = SampleProcess.start(folder)) {
            app.add("first");
            await().atMost(Duration.ofSeconds(30)).until(app::saysReplicated);
            String scrape = app.text("/actuator/prometheus");
            assertThat(names(SAMPLE, scrape)).isNotEmpty().isEqualTo(documented());
            assertThat(value(scrape, "litestream_txid_replicated")).isPositive();
            assertThat(value(scrape, "litestream_lag_seconds")).isZero();
            assertThat(value(scrape, "litestream_sync_seconds_count")).isPositive();
            assertThat(value(scrape, "litestream_database_size_bytes")).isPositive();
            assertThat(app.get("/actuator/info")
                            .path("litestream")
                            .path("version")
                            .asString())
                    .matches("\\d+\\.\\d+\\.\\d+.*");
            app.stop();
        }
    }

    private static Set<String> documented() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String line : Files.readAllLines(REFERENCE)) {
            Matcher row = ROW.matcher(line);
            if (row.matches()) {
                names.addAll(names(NAME, row.group(1)));
            }
        }
        names.removeIf(name -> name.startsWith("litestream_read_replica_")); // the sample has no such entry
        names.removeIf(name -> name.startsWith("litestream_drill")); // only the profile operations runs drills
        return names;
    }

    private static Set<String> names(Pattern pattern, String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = pattern.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        return names;
    }

    private static double value(String scrape, String name) {
        Matcher sample = Pattern.compile("(?m)^" + name + "\\{database=\"app.db\"\\} (\\S+)$")
                .matcher(scrape);
        assertThat(sample.find()).as(name).isTrue();
        return Double.parseDouble(sample.group(1));
    }
}
