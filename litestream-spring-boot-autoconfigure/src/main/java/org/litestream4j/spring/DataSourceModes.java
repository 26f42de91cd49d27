package org.litestream4j.spring;

import java.beans.PropertyDescriptor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.litestream4j.replica.Redaction;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.BeanWrapperImpl;
import org.springframework.beans.BeansException;

/**
 * Rejects the modes of SQLite with which replication cannot work: another journal mode than WAL, and exclusive locking.
 * Reads the properties of any pool that has getters for them. What a pool does not reveal is rejected at its first
 * connection.
 */
final class DataSourceModes {

    private static final Pattern PRAGMA = Pattern.compile(
            "\\bpragma\\s+(?:\\w+\\.)?(journal_mode|locking_mode)\\s*[=(]\\s*['\"]?(\\w+)", Pattern.CASE_INSENSITIVE);

    /** The driver's properties: of Tomcat's pool, C3P0 and Spring's own DataSources. */
    private static final List<String> DRIVER_PROPERTIES = List.of("connectionProperties", "dbProperties", "properties");

    /** Statements run on each new connection: of Tomcat's pool and DBCP2. */
    private static final List<String> INITIAL_STATEMENTS = List.of("initSQL", "connectionInitSqls");

    private DataSourceModes() {}

    /**
     * Returns why replication cannot work with a setting of the driver.
     *
     * @param name the setting, in any spelling
     * @return what replication needs, as the end of a sentence; empty if the setting is suitable
     */
    static Optional<String> objection(String name, String value) {
        String plain = name.replaceAll("[_-]", "").toLowerCase(Locale.ROOT);
        if (plain.equals("journalmode") && !value.trim().equalsIgnoreCase("wal")) {
            return Optional.of("replication needs the journal mode WAL and sets it itself.");
        }
        return plain.equals("lockingmode") && value.trim().equalsIgnoreCase("exclusive")
                ? Optional.of("replication must open the database alongside the application.")
                : Optional.empty();
    }

    /** Returns the modes that SQL statements set. */
    static Map<String, String> set(String sql) {
        Map<String, String> modes = new LinkedHashMap<>();
        Matcher pragma = PRAGMA.matcher(sql);
        while (pragma.find()) {
            modes.put(pragma.group(1), pragma.group(2));
        }
        return modes;
    }

    /**
     * Checks the URL and the other settings of a {@code DataSource} that opens a replicated database.
     *
     * @throws LitestreamSettingException with the name of the setting
     */
    static void requireFit(String bean, DataSource dataSource) {
        for (DataSource one : DataSourceChain.of(dataSource)) {
            DataSourceUrls.url(one).filter(SqliteUrl::isSqlite).ifPresent(SqliteUrl::requireFit);
            for (String property : DRIVER_PROPERTIES) {
                if (value(one, property).orElse(null) instanceof Properties settings) {
                    settings.forEach(
                            (name, mode) -> requireFit(bean, property, String.valueOf(name), String.valueOf(mode)));
                }
            }
            for (String property : INITIAL_STATEMENTS) {
                value(one, property).ifPresent(value -> set(statements(value))
                        .forEach((name, mode) -> requireFit(bean, property, name, mode)));
            }
        }
    }

    private static void requireFit(String bean, String property, String name, String value) {
        objection(name, value).ifPresent(reason -> {
            throw new LitestreamSettingException(
                    "The property " + property + " of the DataSource \"" + bean + "\" sets " + name + "="
                            + Redaction.value(value) + ", but " + reason,
                    "Remove it, or set litestream.enabled=false.");
        });
    }

    private static String statements(Object value) {
        List<String> statements = new ArrayList<>();
        if (value instanceof Collection<?> several) {
            several.forEach(statement -> statements.add(String.valueOf(statement)));
        } else {
            statements.add(String.valueOf(value));
        }
        return String.join(";", statements);
    }

    private static Optional<Object> value(DataSource dataSource, String property) {
        PropertyDescriptor descriptor = BeanUtils.getPropertyDescriptor(dataSource.getClass(), property);
        if (descriptor == null || descriptor.getReadMethod() == null) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(new BeanWrapperImpl(dataSource).getPropertyValue(property));
        } catch (BeansException e) { // such as the proxy of a scope that is not active
            return Optional.empty();
        }
    }
}
