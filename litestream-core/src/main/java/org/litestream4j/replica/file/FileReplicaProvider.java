package org.litestream4j.replica.file;

import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.litestream4j.internal.files.NonAsciiNames;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;

/**
 * Replicas in a folder: {@code file:///var/backups/app} or, relative to the working directory,
 * {@code file:backups/app}. The folder of an absolute URL has the escaped name of the URL, as in Litestream; the
 * setting {@code path} accepts any name unchanged. Files are stored as {@code <folder>/ltx/<level>/<name>}; their
 * modification time is their timestamp.
 */
public final class FileReplicaProvider implements ReplicaProvider {

    private static final String SCHEME = "file";

    /**
     * Returns a client for the replica in a folder, which need not exist.
     *
     * @param folder folder that contains {@code ltx}
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
        Map<String, String> settings = location.settings();
        if (!Set.of("path").containsAll(settings.keySet())) {
            throw new IllegalArgumentException(
                    "file replicas have the setting path only, but there is " + new TreeSet<>(settings.keySet()));
        }
        String path = settings.getOrDefault("path", "");
        return path.isBlank() ? byUrl(location.url()) : byPath(path, location.url());
    }

    /** Returns a client for the plain name of a folder, for names that a URL cannot express. */
    private static ReplicaClient byPath(String path, String url) {
        if (!url.substring(SCHEME.length() + 1).matches("/*")) {
            throw new IllegalArgumentException(
                    "the replica URL and the setting path both name a folder; with path, write the URL file: alone");
        }
        return at(path(path));
    }

    private static ReplicaClient byUrl(String url) {
        String rest = url.substring(SCHEME.length() + 1);
        if (rest.startsWith("//")) {
            rest = rest.substring(2);
            if (!rest.isEmpty() && !rest.startsWith("/")) { // may contain a password: not in the message
                throw new IllegalArgumentException("replica URL " + SCHEME
                        + "://… names a host; write three slashes before an absolute path (file:///var/backups/app)");
            }
        }
        int end = endOfPath(rest);
        if (end < rest.length()) {
            throw bad(
                    rest.substring(0, end),
                    "has a query or a fragment; write %3F or %23, which stay so in the folder's name, or name the"
                            + " folder by the setting path");
        }
        if (rest.isEmpty()) {
            throw bad(rest, "names no folder");
        }
        boolean absolute = rest.startsWith("/");
        try {
            NonAsciiNames.requireCharacters(rest);
            Path folder = path(absolute ? UrlPath.escaped(rest) : rest);
            return new FileReplicaClient(folder, former(rest, folder), Publisher.byLink());
        } catch (IllegalArgumentException e) {
            throw bad(rest, "holds " + e.getMessage());
        }
    }

    /** Returns the folder used by earlier versions: the one with the decoded name, if the system can have it. */
    private static Path former(String rest, Path folder) {
        String name;
        try {
            name = UrlPath.decode(rest);
        } catch (IllegalArgumentException e) {
            name = rest; // earlier versions refused it
        }
        try {
            return path(name);
        } catch (IllegalArgumentException e) {
            return folder;
        }
    }

    /** Returns the path as Litestream does, with the home folder in place of a tilde. */
    private static Path path(String name) {
        String home = name.equals("~") || name.startsWith("~/") ? System.getProperty("user.home", "") : "";
        String plain = home.isEmpty() ? name : home + name.substring(1);
        if (File.separatorChar == '\\' && plain.matches("/[A-Za-z]:.*")) {
            plain = plain.substring(1);
        }
        try {
            return NonAsciiNames.path(plain);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "a name that this system cannot have for a folder: " + e.getMessage(), e);
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
