package org.litestream4j.replica.file;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;

/**
 * Replicas in a folder: {@code file:///var/backups/app} or, below the working directory, {@code file:backups/app}.
 * Files are {@code <folder>/ltx/<level>/<name>}; their modification time is their timestamp.
 */
public final class FileReplicaProvider implements ReplicaProvider {

    private static final String SCHEME = "file";

    /**
     * The replica in a folder, which need not exist.
     *
     * @param folder the one that holds {@code ltx}
     */
    public static ReplicaClient at(Path folder) {
        return new FileReplicaClient(folder, Publisher.byLink());
    }

    @Override
    public Set<String> schemes() {
        return Set.of(SCHEME);
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        if (!location.settings().isEmpty()) {
            throw new IllegalArgumentException("file replicas have no settings, but there is "
                    + location.settings().keySet());
        }
        return at(folder(location.url()));
    }

    private static Path folder(String url) {
        String rest = url.substring(SCHEME.length() + 1);
        if (rest.startsWith("//")) {
            rest = rest.substring(2);
            if (!rest.startsWith("/")) { // may hold a password: not in the message
                throw new IllegalArgumentException("replica URL " + SCHEME
                        + "://… names a host; write three slashes before an absolute path (file:///var/backups/app)");
            }
        }
        int end = endOfPath(rest);
        if (end < rest.length()) {
            throw bad(
                    rest.substring(0, end),
                    "has a query or a fragment; write %3F for a question mark and %23 for a number sign");
        }
        String path = decode(rest);
        if (path.isEmpty()) {
            throw bad(rest, "names no folder");
        }
        try {
            // By URI, because a Windows path is not what follows the slash.
            return path.startsWith("/") ? Path.of(new URI(SCHEME, null, path, null)) : Path.of(path);
        } catch (IllegalArgumentException | URISyntaxException e) {
            throw bad(rest, "names no folder of this system");
        }
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw bad(text, "has a % that is not followed by two hex digits; write %25 for a percent sign");
        }
    }

    private static int endOfPath(String text) {
        int end = 0;
        while (end < text.length() && text.charAt(end) != '?' && text.charAt(end) != '#') {
            end++;
        }
        return end;
    }

    private static IllegalArgumentException bad(String path, String problem) {
        return new IllegalArgumentException("replica URL " + Redaction.url(SCHEME + ":" + path) + " " + problem);
    }
}
