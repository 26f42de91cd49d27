package org.litestream4j.internal.files;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The file that SQLite opens for a path, and the names of its side files. SQLite resolves every symbolic link,
 * including {@code ..} after a link, and names the side files after the resolved file.
 */
public final class SqlitePaths {

    /** Maximum number of links; equal to SQLite's limit, SQLITE_MAX_SYMLINK. */
    private static final int MAX_LINKS = 200;

    private SqlitePaths() {}

    /**
     * Returns the absolute path of the file that SQLite opens or creates for a path. No part of it needs to exist.
     *
     * @throws IOException if the links form a loop, or one cannot be read
     */
    public static Path resolve(Path path) throws IOException {
        return new Resolver(path).resolve();
    }

    /**
     * Returns the path of the write-ahead log.
     *
     * @param database path as returned by {@link #resolve}
     */
    public static Path wal(Path database) {
        return database.resolveSibling(database.getFileName() + "-wal");
    }

    /**
     * Returns a URL of the SQLite driver that opens exactly this file, for any characters in its name.
     *
     * @param query parameters of an SQLite URI, such as {@code mode=ro}; may be empty
     */
    public static String jdbcUrl(Path database, String query) {
        try {
            String path = database.toAbsolutePath().toString().replace(File.separatorChar, '/');
            String raw = new URI("file", null, path.startsWith("/") ? path : "/" + path, null).getRawPath();
            return "jdbc:sqlite:file:" + raw + (query.isEmpty() ? "" : "?" + query);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("no URI for " + database, e);
        }
    }

    private static final class Resolver {
        private final Path asked;
        private Path done;
        private int links;

        Resolver(Path asked) {
            this.asked = asked;
            Path absolute = asked.toAbsolutePath();
            this.done = absolute.getRoot();
        }

        Path resolve() throws IOException {
            append(asked.toAbsolutePath());
            return done;
        }

        private void append(Path path) throws IOException {
            if (path.isAbsolute()) {
                done = path.getRoot();
            }
            for (Path element : path) {
                String name = element.toString();
                if (name.equals("..")) {
                    Path parent = done.getParent();
                    done = parent != null ? parent : done;
                } else if (!name.isEmpty() && !name.equals(".")) {
                    Path next = done.resolve(element);
                    if (Files.isSymbolicLink(next)) {
                        if (++links > MAX_LINKS) {
                            throw new FileSystemLoopException(asked.toString());
                        }
                        append(Files.readSymbolicLink(next));
                    } else {
                        done = next;
                    }
                }
            }
        }
    }
}
