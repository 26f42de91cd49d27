package org.litestream4j.spring;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.replica.Redaction;
import org.sqlite.SQLiteConfig.Pragma;

/** Determines the file that SQLite will open for a JDBC URL. Parses the URL as the driver and SQLite's URI file names do. */
final class SqliteUrl {

    static final String USE_A_FILE = "Use a file, for example jdbc:sqlite:./data/app.db, or set"
            + " litestream.enabled=false where nothing is to be replicated.";
    private static final Set<String> PRAGMAS =
            Arrays.stream(Pragma.values()).map(Pragma::getPragmaName).collect(Collectors.toUnmodifiableSet());

    /** Matches the scheme, including the prefixes of wrapping drivers: p6spy, otel, log4jdbc, p6spy:otel. */
    private static final Pattern WRAPPED =
            Pattern.compile("jdbc:(?:[a-z0-9-]{1,32}:){0,3}sqlite:", Pattern.CASE_INSENSITIVE);

    /** Matches a parameter as in the URLs of other drivers. */
    private static final Pattern PARAMETER = Pattern.compile("[;&][A-Za-z_]+=");

    private SqliteUrl() {}

    static boolean isSqlite(String url) {
        return WRAPPED.matcher(url).lookingAt();
    }

    /**
     * Returns the database file.
     *
     * @return absolute path with all links resolved, which need not exist; empty if the URL is not SQLite's, or if
     *     it names a database in memory or a temporary one (an empty name, or SQLite JDBC's copy of a resource)
     * @throws LitestreamSettingException if SQLite will open another file than the URL suggests, or in a mode with which
     *     replication cannot work
     */
    static Optional<Path> path(String url) {
        requireFit(url);
        return location(url);
    }

    /**
     * Returns the database file, even if replication cannot work with the modes that the URL sets.
     *
     * @return as {@link #path}
     * @throws LitestreamSettingException if SQLite will open another file than the URL suggests
     */
    static Optional<Path> location(String url) {
        Optional<String> file = file(url).filter(name -> !name.isEmpty());
        try {
            return file.map(DatabaseConfig::resolve);
        } catch (IllegalArgumentException e) {
            throw new LitestreamSettingException(
                    "The database URL \"" + Redaction.url(url) + "\" does not contain a valid file name: "
                            + e.getMessage() + ".",
                    USE_A_FILE);
        }
    }

    /** Returns whether the URL names no file, as {@code jdbc:sqlite:}; SQLite then opens a temporary database. */
    static boolean isNameless(String url) {
        return file(url).filter(String::isEmpty).isPresent();
    }

    /** Returns the file name as written; empty if the URL is not SQLite's, or if it names a database in memory or a resource. */
    private static Optional<String> file(String url) {
        if (!isSqlite(url)) {
            return Optional.empty();
        }
        String address = WRAPPED.matcher(url.trim()).replaceFirst(""); // the driver trims it, too
        int query = address.indexOf('?');
        String name = query < 0 ? address : address.substring(0, query);
        boolean uri = name.startsWith("file:");
        boolean inMemory = checkParameters(url, query < 0 ? "" : address.substring(query + 1), uri);
        String file = uri ? uriPath(url, name.substring("file:".length())) : name;
        refuseUnclear(url, name, file);
        return inMemory || file.equals(":memory:") || file.startsWith(":resource:")
                ? Optional.empty()
                : Optional.of(file);
    }

    /** Rejects ambiguous names, from which SQLite would create an unintended file. */
    private static void refuseUnclear(String url, String written, String file) {
        boolean blank = !written.equals(written.strip()) || file.chars().anyMatch(Character::isISOControl);
        if (blank) {
            throw new LitestreamSettingException(
                    "The database URL \"" + Redaction.url(url)
                            + "\" has a blank or a line break beside the file name: SQLite would treat it as"
                            + " part of the name.",
                    "Remove it; a folded YAML value (>) replaces line ends with blanks.");
        }
        if (PARAMETER.matcher(file).find()) {
            throw new LitestreamSettingException(
                    "The database URL \"" + Redaction.url(url)
                            + "\" has parameters after ; or &: SQLite would treat them as" + " part of the file name.",
                    "Write ? before the first parameter, and & before the others.");
        }
        if (file.equals("~") || file.startsWith("~/")) {
            throw new LitestreamSettingException(
                    "The database URL \"" + Redaction.url(url) + "\" begins with ~, which SQLite does not expand.",
                    "Write ${user.home} instead of ~, or an absolute path.");
        }
    }

    /** @throws LitestreamSettingException if the URL sets a mode with which replication cannot work */
    static void requireFit(String url) {
        int query = url.indexOf('?');
        if (query < 0 || !isSqlite(url)) {
            return;
        }
        for (String parameter : url.substring(query + 1).split("&", -1)) {
            String[] parts = parameter.trim().split("=", 2);
            if (parts.length == 2 && PRAGMAS.contains(parts[0].toLowerCase(Locale.ROOT))) {
                DataSourceModes.objection(parts[0], parts[1]).ifPresent(reason -> {
                    throw new LitestreamSettingException(
                            "The database URL \"" + Redaction.url(url) + "\" has the parameter "
                                    + Redaction.name(parts[0]) + "=" + Redaction.value(parts[1]) + ", but " + reason,
                            "Remove the parameter, or set litestream.enabled=false.");
                });
            }
        }
    }

    /** Checks the parameters and returns whether those of a URI file name request a database in memory. */
    private static boolean checkParameters(String url, String query, boolean uri) {
        boolean inMemory = false;
        for (String parameter : query.split("&", -1)) {
            String key = parameter.split("=", 2)[0].trim().toLowerCase(Locale.ROOT);
            if (key.isEmpty() || PRAGMAS.contains(key)) {
                continue;
            }
            if (!uri) {
                throw new LitestreamSettingException(
                        "The database URL \"" + Redaction.url(url) + "\" has the parameter \"" + Redaction.name(key)
                                + "\", which SQLite JDBC does not know: it would become part of the file name.",
                        "Correct or remove the parameter.");
            }
            inMemory |= parameter.trim().equalsIgnoreCase("mode=memory")
                    || parameter.trim().equalsIgnoreCase("vfs=memdb");
        }
        return inMemory;
    }

    /** Returns the path between {@code file:} and the query: after an optional empty or local authority, percent-decoded. */
    private static String uriPath(String url, String rest) {
        String path = rest;
        if (rest.startsWith("//")) {
            int slash = rest.indexOf('/', 2);
            String authority = slash < 0 ? rest.substring(2) : rest.substring(2, slash);
            if (!authority.isEmpty() && !authority.equals("localhost")) {
                throw new LitestreamSettingException(
                        "The database URL \"" + Redaction.url(url) + "\" names the host \"" + Redaction.value(authority)
                                + "\": SQLite opens local files only.",
                        "Write jdbc:sqlite:file:///absolute/path or jdbc:sqlite:relative/path.");
            }
            path = slash < 0 ? "" : rest.substring(slash);
        }
        int fragment = path.indexOf('#');
        path = fragment < 0 ? path : path.substring(0, fragment);
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new LitestreamSettingException(
                    "The database URL \"" + Redaction.url(url) + "\" has a broken percent escape.",
                    "Write a percent sign as %25.");
        }
    }
}
