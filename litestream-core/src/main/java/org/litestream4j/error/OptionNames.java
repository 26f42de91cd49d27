package org.litestream4j.error;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names the options of a database in the way of a front end: methods of a builder, properties of Spring, options of a
 * command. Texts of the core contain options as <code>{adoptReplica=true}</code> or <code>{metaPath}</code>.
 */
@FunctionalInterface
public interface OptionNames {

    /** Names options as plain Java does: {@code adoptReplica=true}. */
    OptionNames PLAIN = (option, value) -> value.isEmpty() ? option : option + "=" + value;

    /**
     * Returns the text for an option.
     *
     * @param option name of the option, as the method of {@code DatabaseConfig.Builder}
     * @param value value to set; empty if the operator chooses it
     */
    String name(String option, String value);

    /** Replaces all options of a text by their names. */
    default String in(String text) {
        return Pattern.compile("\\{([a-zA-Z]+)(?:=(\\w+))?\\}")
                .matcher(text)
                .replaceAll(found ->
                        Matcher.quoteReplacement(name(found.group(1), found.group(2) == null ? "" : found.group(2))));
    }
}
