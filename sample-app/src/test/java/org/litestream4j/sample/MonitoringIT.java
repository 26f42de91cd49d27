package org.litestream4j.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The alerting rules and the Grafana dashboard of {@code docs/monitoring}. Needs promtool for the rules. */
class MonitoringIT {

    private static final Path FOLDER = Path.of("../docs/monitoring");
    private static final Path REFERENCE = Path.of("../docs/metrics.md");
    private static final Pattern NAME = Pattern.compile("\\blitestream_[a-z0-9_]+");

    @TempDir
    Path folder;

    /** That these names exist in a scrape, and no others, is tested by {@link SampleAppMetricsIT} and ReadReplicaTest. */
    @Test
    void everyName_isDocumented() throws IOException {
        Set<String> documented = names(Files.readString(REFERENCE));
        for (String file : List.of("alerts.yml", "alerts-test.yml", "grafana-dashboard.json")) {
            assertThat(names(Files.readString(FOLDER.resolve(file))))
                    .as(file)
                    .isNotEmpty()
                    .isSubsetOf(documented);
        }
    }

    @Test
    void everyAlertOfTheTable_isARule() throws IOException {
        String rules = Files.readString(FOLDER.resolve("alerts.yml")).replace("|", "\\|");
        List<String> rows = Files.readAllLines(REFERENCE).stream()
                .filter(line -> line.startsWith("| `Litestream"))
                .toList();
        assertThat(rows).hasSizeGreaterThan(10);
        for (String row : rows) {
            String[] cells = row.split(" (?<!\\\\)\\| ");
            String alert = cells[0].replaceAll("[|` ]", "");
            String expression = cells[2].replaceAll("` \\|$|`", "");
            assertThat(rules).contains("- alert: " + alert + "\n        expr: " + expression + "\n");
        }
        assertThat(rules.split("- alert: ")).hasSize(rows.size() + 1);
    }

    @Test
    void rules_fireAndDoNotFire() throws Exception {
        assertThat(promtool("check", "rules", "alerts.yml")).contains("SUCCESS");
        assertThat(promtool("test", "rules", "alerts-test.yml")).contains("SUCCESS");
    }

    @Test
    void everyQueryOfTheDashboard_isPromQl() throws Exception {
        List<String> queries = queries();
        assertThat(queries).hasSizeGreaterThan(25);
        StringBuilder rules = new StringBuilder("groups:\n  - name: dashboard\n    rules:\n");
        for (int i = 0; i < queries.size(); i++) {
            String query = queries.get(i)
                    .replace("$__rate_interval", "1m")
                    .replaceAll("\\$price_(put|get)", "0.005")
                    .replace("'", "''");
            rules.append("      - record: query:").append(i).append("\n        expr: '" + query + "'\n");
        }
        Path file = folder.resolve("dashboard.yml");
        Files.writeString(file, rules);
        assertThat(promtool("check", "rules", file.toString())).contains("SUCCESS: " + queries.size() + " rules found");
    }

    private static List<String> queries() throws IOException {
        List<String> queries = new ArrayList<>();
        for (JsonNode panel : JsonMapper.builder()
                .build()
                .readTree(Files.readString(FOLDER.resolve("grafana-dashboard.json")))
                .path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                queries.add(target.path("expr").asString());
            }
        }
        return queries;
    }

    private static String promtool(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("promtool"));
        command.addAll(List.of(arguments));
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(FOLDER.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            assumeTrue(false, "promtool (Debian package prometheus) is not installed: " + e.getMessage());
            throw e;
        }
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static Set<String> names(String text) {
        Set<String> names = new TreeSet<>();
        Matcher matcher = NAME.matcher(text);
        while (matcher.find()) {
            names.add(matcher.group());
        }
        return names;
    }
}
