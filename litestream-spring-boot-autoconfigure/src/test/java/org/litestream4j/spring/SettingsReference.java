package org.litestream4j.spring;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** The tables of docs/configuration.md: which settings stand in which says a comment above it, the rest the metadata. */
final class SettingsReference {

    private static final Pattern TABLE =
            Pattern.compile("<!-- settings\\n(.*?)-->\\n.*?<!-- end of settings -->", Pattern.DOTALL);
    private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"");

    private final Map<String, JsonNode> settings;
    private final Set<String> seen = new HashSet<>();
    private final List<String> problems = new ArrayList<>();

    /** @param settings of the metadata, by name */
    SettingsReference(Map<String, JsonNode> settings) {
        this.settings = settings;
    }

    /** The page with its tables as they should be; {@link #problems} are known then. */
    String update(String page) {
        String updated = TABLE.matcher(page)
                .replaceAll(table -> Matcher.quoteReplacement(
                        "<!-- settings\n" + table.group(1) + "-->\n" + rows(table) + "<!-- end of settings -->"));
        Set<String> missing = new TreeSet<>(settings.keySet());
        missing.removeAll(seen);
        missing.forEach(name -> problems.add(name + " stands in no table"));
        return updated;
    }

    /** Settings without a table, and the other way round. */
    List<String> problems() {
        return problems;
    }

    private String rows(MatchResult table) {
        StringBuilder rows = new StringBuilder("| setting | default | meaning |\n| --- | --- | --- |\n");
        table.group(1).lines().forEach(name -> {
            JsonNode setting = settings.get(name);
            if (setting == null) {
                problems.add(name + " is no setting");
            } else {
                if (!seen.add(name)) {
                    problems.add(name + " stands in two tables");
                }
                String description = setting.path("description").asString();
                rows.append("| `%s` | %s | %s |%n"
                        .formatted(name, defaultValue(setting.path("defaultValue")), meaning(description)));
            }
        });
        return rows.toString();
    }

    private static String defaultValue(JsonNode value) {
        return value.isMissingNode() ? "–" : "`" + value.asString() + "`";
    }

    private static String meaning(String description) {
        return QUOTED.matcher(description.replace("|", "\\|"))
                .replaceAll("`$1`")
                .replaceFirst("\\.$", "");
    }
}
