package org.litestream4j.internal.capture;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/**
 * Attributes that identify a database file and show whether it changed. Read without opening the file.
 *
 * @param inode inode of the file; 0 if the file system has none
 * @param size size in bytes
 * @param modified time of the last change of the content, in nanoseconds since the epoch
 * @param changed time of the last change of content or attributes, in nanoseconds since the epoch; creation time where
 *     the file system does not report it
 */
record Fingerprint(long inode, long size, long modified, long changed) {

    static final Fingerprint NONE = new Fingerprint(0, 0, 0, 0);

    /** Maps the attributes of a path to the attributes to return. Tests replace it, for example to stop the clock. */
    static volatile BiFunction<Path, Fingerprint, Fingerprint> view = (path, actual) -> actual;

    /** @throws java.nio.file.NoSuchFileException if the file does not exist */
    static Fingerprint of(Path path) throws IOException {
        boolean unix = path.getFileSystem().supportedFileAttributeViews().contains("unix");
        Map<String, Object> attributes = Files.readAttributes(
                path, unix ? "unix:ino,size,lastModifiedTime,ctime" : "basic:size,lastModifiedTime,creationTime");
        Fingerprint actual = new Fingerprint(
                unix ? number(attributes, "ino") : 0,
                number(attributes, "size"),
                nanos(attributes, "lastModifiedTime"),
                nanos(attributes, unix ? "ctime" : "creationTime"));
        return view.apply(path, actual);
    }

    private static long number(Map<String, Object> attributes, String name) {
        return (Long) requireNonNull(attributes.get(name), name);
    }

    private static long nanos(Map<String, Object> attributes, String name) {
        return ((FileTime) requireNonNull(attributes.get(name), name)).to(TimeUnit.NANOSECONDS);
    }

    /** Returns whether the file is the same; its content may differ. */
    boolean sameFile(Fingerprint other) {
        return inode == other.inode;
    }

    /**
     * Returns whether the file appears unchanged, apart from owner, permissions and links. False proves a write. True
     * proves nothing: many file systems have coarse times, and after a power failure new content may have old times.
     */
    boolean sameContent(Fingerprint other) {
        return sameFile(other) && size == other.size && modified == other.modified;
    }
}
