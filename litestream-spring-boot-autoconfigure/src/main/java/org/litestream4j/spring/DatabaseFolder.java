package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.springframework.util.AntPathMatcher;

/**
 * A folder whose files are databases. Opens no file, because closing a database file would release SQLite's locks.
 *
 * @param name name of the setting
 * @param path absolute path, which need not exist
 * @param pattern pattern of relative paths, as defined by Spring's {@link AntPathMatcher}
 */
record DatabaseFolder(String name, Path path, String pattern) {

    private static final AntPathMatcher MATCHER = new AntPathMatcher();
    private static final Set<String> COMPANIONS = Set.of("-wal", "-shm", "-journal");

    /**
     * Returns whether a file is one of the folder's databases. Hidden files, and files in hidden folders such as local
     * states, are not.
     */
    boolean matches(Path file) {
        if (!file.startsWith(path) || file.equals(path)) {
            return false;
        }
        for (Path segment : path.relativize(file)) {
            if (segment.toString().startsWith(".")) {
                return false;
            }
        }
        String below = relative(file);
        return COMPANIONS.stream().noneMatch(below::endsWith) && MATCHER.match(pattern, below);
    }

    /** Returns the path of a file relative to the folder, with slashes. */
    String relative(Path file) {
        return path.relativize(file).toString().replace('\\', '/');
    }

    /** Returns the absolute paths of the folder's databases that are not empty. */
    List<Path> files() throws IOException {
        List<Path> found = new ArrayList<>();
        if (!Files.isDirectory(path)) {
            return found;
        }
        int depth = pattern.contains("/") || pattern.contains("**") ? Integer.MAX_VALUE : 1;
        Files.walkFileTree(path, EnumSet.noneOf(java.nio.file.FileVisitOption.class), depth, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                boolean hidden = folder.getFileName().toString().startsWith(".") && !folder.equals(path);
                return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile() && attributes.size() > 0 && matches(file)) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE; // deleted since it was listed
            }

            @Override
            public FileVisitResult postVisitDirectory(
                    Path folder, java.io.@org.jspecify.annotations.Nullable IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
