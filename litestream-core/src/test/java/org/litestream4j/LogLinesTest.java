package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Log lines are an event, a colon and keys; the keys have one meaning and one order. */
class LogLinesTest {

    /** Keys with a fixed place; all others follow them. */
    private static final List<String> ORDER = List.of("db", "path", "replica", "level", "txid");

    private static final Pattern LINE = Pattern.compile(
            "\\b(?i:log)\\s*\\.(?:error|warn|info|debug)\\(\\s*((?:\"(?:[^\"\\\\]|\\\\.)*\"\\s*\\+?\\s*)+)");

    private static final Pattern KEY = Pattern.compile("([a-z][a-z-]*)=\\{\\}");

    private record Line(Path file, String text, List<String> keys) {}

    @Test
    void keysFollowTheEventInOneOrder() throws Exception {
        List<Line> lines = lines();
        assertThat(lines).hasSizeGreaterThan(50);
        assertThat(lines).filteredOn(line -> !line.keys().isEmpty()).allSatisfy(line -> assertThat(line.text())
                .as("%s", line.file())
                .matches(text -> text.matches("(?s).*: " + line.keys().get(0) + "=\\{\\}.*"), "event: key={}"));
        assertThat(lines).allSatisfy(line -> {
            List<Integer> places = line.keys().stream().map(LogLinesTest::place).toList();
            assertThat(places).as("%s: %s", line.file(), line.text()).isSorted();
        });
    }

    /** The capture knows a database only by its path. */
    @Test
    void db_isTheNameOfTheDatabase() throws Exception {
        assertThat(lines())
                .filteredOn(line -> line.file().toString().contains("internal/capture"))
                .noneMatch(line -> line.keys().contains("db"));
    }

    private static int place(String key) {
        int place = ORDER.indexOf(key);
        return place < 0 ? ORDER.size() : place;
    }

    private static List<Line> lines() throws Exception {
        List<Line> lines = new ArrayList<>();
        for (String module : List.of("litestream-core", "litestream-cli", "litestream-spring-boot-autoconfigure")) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src/main/java"))) {
                for (Path file :
                        files.filter(path -> path.toString().endsWith(".java")).toList()) {
                    Matcher line = LINE.matcher(Files.readString(file));
                    while (line.find()) {
                        String text = line.group(1).replaceAll("\"\\s*\\+?\\s*\"?", "");
                        List<String> keys = KEY.matcher(text)
                                .results()
                                .map(key -> key.group(1))
                                .toList();
                        lines.add(new Line(file, text, keys));
                    }
                }
            }
        }
        return lines;
    }
}
