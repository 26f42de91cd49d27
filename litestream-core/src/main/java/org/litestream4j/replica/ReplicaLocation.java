package org.litestream4j.replica;

import static java.util.Objects.requireNonNull;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Address and settings of a replica, as configured: a URL as used by Litestream, and the settings of the backend. Query
 * parameters of the URL and settings have the same names; a setting overrides a parameter.
 *
 * @param url URL of the replica, for example {@code file:///var/backups/app} or
 *     {@code s3://bucket/path?region=eu-central-1}
 * @param settings settings of the backend, by their names in kebab case ({@code force-path-style}); may contain
 *     secrets
 */
public record ReplicaLocation(String url, Map<String, String> settings) {

    /** @throws IllegalArgumentException if the URL has no scheme */
    public ReplicaLocation {
        url = withoutLineBreaks(requireNonNull(url, "url"));
        settings = Map.copyOf(new LinkedHashMap<>(settings));
        if (!url.matches("[A-Za-z][A-Za-z0-9+.-]*:.*")) {
            boolean quoted = url.strip().matches("[\"'].*");
            throw new IllegalArgumentException("replica URL without a scheme: \"" + Redaction.url(url) + "\""
                    + (quoted ? " (there are quotes around it)" : "") + "; write for example file:///var/backups/app");
        }
    }

    /** Removes line breaks at the end, which files and environment variables add. A line break within the URL is an error. */
    private static String withoutLineBreaks(String url) {
        String plain = url.replaceFirst("^\\s*[\\r\\n]\\s*", "").replaceFirst("\\s*[\\r\\n]\\s*$", "");
        String problem = plain.chars().anyMatch(Character::isISOControl)
                ? "holds a line break or another control character; remove it"
                : !plain.equals(plain.strip())
                        ? "begins or ends with a blank; remove it, or write %20 if the name has one"
                        : "";
        if (!problem.isEmpty()) { // may contain a password: not in the message
            throw new IllegalArgumentException("the replica URL " + problem);
        }
        return plain;
    }

    /** Returns a location that consists of a URL only. */
    public static ReplicaLocation of(String url) {
        return new ReplicaLocation(url, Map.of());
    }

    /** Returns the scheme in lower case. */
    public String scheme() {
        return url.substring(0, url.indexOf(':')).toLowerCase(java.util.Locale.ROOT);
    }

    /** Returns the scheme only: URL and settings may contain secrets. */
    @Override
    public String toString() {
        return scheme() + ":…";
    }
}
