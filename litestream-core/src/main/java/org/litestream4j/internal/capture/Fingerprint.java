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
 * What tells whether a database file is still the one, and unchanged. Read without opening the file.
 *
 * @param inode of the file; 0 where the file system has none
 * @param size in bytes
 * @param modified time of the last change of its content, in nanoseconds since the epoch
 * @param changed time of the last change of its content or attributes, likewise
 */
record Fingerprint(long inode, long size, long modified, long changed) {

    static final Fingerprint NONE = new Fingerprint(0, 0, 0, 0);

    /** Maps what the file system says of a path to what counts. Tests replace it, to make times stand still. */
    static volatile BiFunction<Path, Fingerprint, Fingerprint> view = (path, actual) -> actual;

    /** @throws java.nio.file.NoSuchFileException if there is no file */
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

    /** Whether the file is the same one; nothing is said of its content. */
    boolean sameFile(Fingerprint other) {
        return inode == other.inode;
    }

    /**
     * Whether the file looks unchanged; its owner, mode and links may have changed. False proves a write. True proves nothing:
     * times are coarse on many file systems, and a power cut may leave new content under old times.
     */
    boolean sameContent(Fingerprint other) {
        return sameFile(other) && size == other.size && modified == other.modified;
    }
}
