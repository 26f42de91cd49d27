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
 * A folder whose files are databases. Nothing is opened here: closing a database file would drop SQLite's locks.
 *
 * @param name of the setting
 * @param path absolute, need not exist
 * @param pattern of the paths below it, as Spring's {@link AntPathMatcher} has them
 */
record DatabaseFolder(String name, Path path, String pattern) {

    private static final AntPathMatcher MATCHER = new AntPathMatcher();
    private static final Set<String> COMPANIONS = Set.of("-wal", "-shm", "-journal");

    /** Whether a file is one of its databases; hidden files and those in hidden folders, as local states, are not. */
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

    /** The path of a file below the folder, with slashes. */
    String relative(Path file) {
        return path.relativize(file).toString().replace('\\', '/');
    }

    /** Its databases that hold something, with absolute paths. */
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
                return FileVisitResult.CONTINUE; // gone since it was listed
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
