package org.litestream4j.internal.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Single files that are mounted into a container, on Linux. Such a file cannot be replaced by a rename, and its side
 * files are not in the mounted file system: they are lost with the container.
 */
public final class MountPoints {

    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

    /** Position of the mount point in a line. */
    private static final int POINT = 4;

    private MountPoints() {}

    /** Returns whether a path is a mount point; false if that is unknown. */
    public static boolean contains(Path path) {
        return contains(path, MOUNTS);
    }

    /** @param mounts file in the format of {@code /proc/self/mountinfo} */
    static boolean contains(Path path, Path mounts) {
        String escaped = path.toString()
                .replace("\\", "\\134")
                .replace(" ", "\\040")
                .replace("\t", "\\011")
                .replace("\n", "\\012");
        try {
            return Files.readString(mounts, StandardCharsets.UTF_8).lines().anyMatch(line -> {
                String[] fields = line.split(" ", -1);
                return fields.length > POINT && fields[POINT].equals(escaped);
            });
        } catch (IOException e) { // another system, or names that are not UTF-8
            return false;
        }
    }
}
