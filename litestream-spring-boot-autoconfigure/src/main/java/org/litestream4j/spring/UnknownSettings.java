package org.litestream4j.spring;

import java.lang.reflect.RecordComponent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.context.properties.source.UnboundElementsSourceFilter;

/**
 * Rejects names below {@code litestream} that are not settings. Spring Boot's own check ({@code ignoreUnknownFields})
 * also rejects known settings that are empty, and prints values.
 */
final class UnknownSettings {

    private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("litestream");
    private static final ConfigurationPropertyName DATABASES = ROOT.append("databases");
    private static final Set<String> ALL = names(LitestreamProperties.class, "litestream.");
    private static final Set<String> OF_A_DATABASE = names(LitestreamProperties.Database.class, "");

    /** Settings of the entries of each map or list of entries, by its name. */
    private static final Map<ConfigurationPropertyName, Set<String>> OF_ENTRIES = Map.of(
            DATABASES,
            OF_A_DATABASE,
            ROOT.append("read-replicas"),
            names(ReadReplicaProperties.class, ""),
            ROOT.append("webhooks"),
            names(WebhookProperties.class, ""));

    private UnknownSettings() {}

    /**
     * Checks all sources except the process's environment and system properties, which may contain names of other
     * programs.
     *
     * @throws LitestreamSettingException if there are unknown settings; names all of them, their origins, and
     *     similar known names
     */
    static void refuse(Iterable<ConfigurationPropertySource> sources) {
        Map<String, Optional<String>> unknown = new TreeMap<>();
        Set<String> problems = new TreeSet<>();
        UnboundElementsSourceFilter filter = new UnboundElementsSourceFilter();
        for (ConfigurationPropertySource source : sources) {
            if (source instanceof IterableConfigurationPropertySource iterable && filter.apply(source)) {
                iterable.stream()
                        .filter(name -> ROOT.isAncestorOf(name) && !isKnown(name))
                        .distinct()
                        .forEach(name -> {
                            unknown.put(name.toString(), meant(name));
                            problems.add("There is no setting " + name + origin(source, name) + ".");
                        });
            }
        }
        if (!unknown.isEmpty()) {
            throw new LitestreamSettingException(String.join("\n", problems), remedy(unknown));
        }
    }

    private static String remedy(Map<String, Optional<String>> unknown) {
        return unknown.entrySet().stream()
                .map(entry -> entry.getValue()
                        .map(meant -> "Write " + meant + " instead of " + entry.getKey() + ".")
                        .orElse("Remove " + entry.getKey() + "; docs/configuration.md lists all settings."))
                .collect(Collectors.joining("\n"));
    }

    /** Returns the origin of a setting, without its value, which may be a secret. */
    private static String origin(ConfigurationPropertySource source, ConfigurationPropertyName name) {
        ConfigurationProperty property = source.getConfigurationProperty(name);
        return property == null || property.getOrigin() == null ? "" : ", which is set in " + property.getOrigin();
    }

    static boolean isKnown(ConfigurationPropertyName name) {
        for (Map.Entry<ConfigurationPropertyName, Set<String>> map : OF_ENTRIES.entrySet()) {
            if (map.getKey().isAncestorOf(name)) {
                int key = map.getKey().getNumberOfElements();
                return name.getNumberOfElements() == key + 1 || isOneOf(map.getValue(), name.subName(key + 1));
            }
        }
        return OF_ENTRIES.containsKey(name) || isOneOf(ALL, name);
    }

    private static boolean isOneOf(Set<String> known, ConfigurationPropertyName name) {
        ConfigurationPropertyName whole = name;
        while (whole.isLastElementIndexed()) { // an item of a list
            whole = whole.getParent();
        }
        for (String candidate : known) {
            ConfigurationPropertyName other = ConfigurationPropertyName.of(candidate);
            if (other.equals(whole) || whole.isAncestorOf(other)) { // empty in YAML: nothing below it is set
                return true;
            }
        }
        return false;
    }

    /** Returns the most similar setting, if one is similar. */
    private static Optional<String> meant(ConfigurationPropertyName name) {
        for (Map.Entry<ConfigurationPropertyName, Set<String>> map : OF_ENTRIES.entrySet()) {
            if (map.getKey().isAncestorOf(name)) {
                return meant(name, map.getKey(), map.getValue());
            }
        }
        return nearest(ALL, name.toString());
    }

    private static Optional<String> meant(
            ConfigurationPropertyName name, ConfigurationPropertyName map, Set<String> known) {
        int first = map.getNumberOfElements();
        boolean group = isOneOf(known, name.subName(first + 1).chop(1));
        for (int end = first + 2; end < name.getNumberOfElements(); end++) { // a key with dots, without brackets
            if (!group && isOneOf(known, name.subName(end))) {
                return Optional.of(map + "[" + name.subName(first).chop(end - first) + "]." + name.subName(end));
            }
        }
        return nearest(known, name.subName(first + 1).toString()).map(setting -> name.chop(first + 1) + "." + setting);
    }

    /** Returns the name with the same last word if there is one, otherwise the one with the fewest differences, up to a limit. */
    private static Optional<String> nearest(Set<String> known, String name) {
        String last = name.substring(name.lastIndexOf('.') + 1);
        List<String> same = known.stream()
                .filter(candidate ->
                        candidate.substring(candidate.lastIndexOf('.') + 1).equals(last))
                .toList();
        String best = "";
        int fewest = same.isEmpty() ? Math.max(2, last.length() / 3) + 1 : Integer.MAX_VALUE;
        for (String candidate : same.isEmpty() ? known : same) {
            int differences = differences(name, candidate);
            if (differences < fewest) {
                fewest = differences;
                best = candidate;
            }
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best);
    }

    /** Returns the Levenshtein distance. */
    private static int differences(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(above, row[j - 1]));
                diagonal = above;
            }
        }
        return row[other.length()];
    }

    private static Set<String> names(Class<?> type, String prefix) {
        Set<String> names = new TreeSet<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String name = prefix + DataObjectPropertyName.toDashedForm(component.getName());
            if (component.getType().isRecord()) {
                names.addAll(names(component.getType(), name + "."));
            } else if (component.getType() != Map.class) {
                names.add(name);
            }
        }
        return names;
    }
}
