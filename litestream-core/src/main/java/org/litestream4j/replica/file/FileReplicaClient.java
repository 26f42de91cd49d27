package org.litestream4j.replica.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.FileProblem;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaClosedException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.ReplicaUpload;

/** A replica in a folder. */
final class FileReplicaClient implements ReplicaClient {

    /** Time without a write after which a temporary file of this format counts as left over. */
    static final Duration STALE = Duration.ofHours(1);

    /** Minimum age of a temporary file before its lock is checked: its creator may be about to lock it. */
    static final Duration SETTLED = Duration.ofSeconds(10);

    private static final Pattern TEMPORARY = Pattern.compile("\\.[0-9a-f]{16}-[0-9a-f]{16}\\.ltx\\.[0-9a-f]{16}\\.tmp");

    private final Path root;

    private final Publisher publisher;

    private final Path former;

    private final FileMarks marks;

    private volatile boolean closed;

    FileReplicaClient(Path root, Publisher publisher) {
        this(root, root, publisher);
    }

    /** @param former folder that an earlier version of this library used for the same address */
    FileReplicaClient(Path root, Path former, Publisher publisher) {
        this.root = root.toAbsolutePath().normalize();
        this.former = former.toAbsolutePath().normalize();
        this.publisher = publisher;
        this.marks = new FileMarks(this, this.root.resolve("marks"), publisher);
    }

    @Override
    public String url() {
        return "file://" + root;
    }

    @Override
    public void prepare() throws IOException {
        checkOpen();
        Path folder = root.resolve("ltx");
        try {
            FileFolders.create(folder);
            for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
                deleteStaleTemporaries(level);
            }
            Path probe = Files.createTempFile(folder, ".probe", ".tmp"); // a mount may be read-only
            Files.delete(probe);
        } catch (FileAlreadyExistsException | NotDirectoryException e) {
            throw inTheWay(e);
        } catch (AccessDeniedException e) {
            throw new ReplicaAccessException(
                    url(),
                    "cannot write to the folder, access denied: " + e.getFile(),
                    "give this process's user the right to write there",
                    e);
        } catch (IOException e) {
            throw new ReplicaAccessException(
                    url(), "cannot write to the folder: " + FileProblem.of(e), "make it writable or change the URL", e);
        }
    }

    /** Returns device and inode of the folder of level 0, if the system provides them. */
    @Override
    public String place() throws IOException {
        try {
            return String.valueOf(
                    Files.readAttributes(folder(0), BasicFileAttributes.class).fileKey());
        } catch (NoSuchFileException e) {
            return "missing";
        }
    }

    @Override
    public Optional<OtherBackup> otherBackup() {
        if (!former.equals(root) && Files.isDirectory(former.resolve("ltx"))) {
            return Optional.of(new OtherBackup(
                    "its files are in the folder " + former
                            + ", where an earlier version looked for this URL; the folder of" + " the URL is " + root
                            + ", as Litestream names it",
                    "rename the folder, or write the URL file: with the setting path=" + former));
        }
        if (Files.isDirectory(root.resolve("generations"))) {
            return Optional.of(OtherBackup.generations());
        }
        for (int level = 0; level <= SNAPSHOT_LEVEL; level++) {
            if (Files.isDirectory(root.resolve(String.format(Locale.ROOT, "%04x", level)))) {
                return Optional.of(new OtherBackup(
                        "the folder holds a replica in the layout of a bucket (0000/…), not of a folder (ltx/0/…)",
                        "copy it into a bucket and name that, or rename its folders: 0000 to ltx/0, 0009 to ltx/9"));
            }
            boolean isLtx = root.endsWith("ltx") && Files.isDirectory(root.resolve(Integer.toString(level)));
            if (isLtx) {
                return Optional.of(new OtherBackup(
                        "the URL names the folder ltx inside a replica",
                        "name the folder above it: " + root.getParent()));
            }
        }
        return Optional.empty();
    }

    private void deleteStaleTemporaries(int level) throws IOException {
        Instant limit = Instant.now().minus(STALE);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(level), FileReplicaClient::isTemporary)) {
            for (Path file : files) {
                if (Files.getLastModifiedTime(file).toInstant().isBefore(limit) || isAbandoned(file)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (NoSuchFileException e) {
            return; // the level does not exist yet, or another process cleans up
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    /**
     * Returns whether a temporary file was left by a killed process. If a process is killed repeatedly during its first
     * upload, such files would accumulate.
     */
    private static boolean isAbandoned(Path file) throws IOException {
        Instant limit = Instant.now().minus(SETTLED);
        return Files.getLastModifiedTime(file).toInstant().isBefore(limit) && FileReplicaUpload.isLeftOver(file);
    }

    private static boolean isTemporary(Path file) {
        return TEMPORARY.matcher(file.getFileName().toString()).matches();
    }

    @Override
    public void list(int level, Txid from, Visitor visitor) throws IOException {
        checkOpen();
        for (LtxFileName name : FolderListing.list(level, () -> names(level, from))) {
            BasicFileAttributes attributes;
            try {
                attributes = Files.readAttributes(path(level, name), BasicFileAttributes.class);
            } catch (NoSuchFileException e) {
                continue; // deleted in the meantime
            }
            if (attributes.isRegularFile() && !visitor.visit(info(level, name, attributes))) {
                return;
            }
        }
    }

    private List<LtxFileName> names(int level, Txid from) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder(level))) {
            for (Path file : files) {
                LtxFileName.parse(file.getFileName().toString())
                        .filter(name -> !name.min().isBefore(from))
                        .ifPresent(names::add);
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (NotDirectoryException e) {
            throw new ReplicaAccessException(
                    url(), "not a folder: " + e.getFile(), "remove that file or change the URL", e);
        } catch (AccessDeniedException e) {
            throw denied("list " + folder(level), e);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(names);
        return names;
    }

    private static LtxFileInfo info(int level, LtxFileName name, BasicFileAttributes attributes) {
        return new LtxFileInfo(
                level, name, attributes.size(), attributes.lastModifiedTime().toInstant(), true);
    }

    LtxFileInfo info(int level, LtxFileName name) throws IOException {
        return info(level, name, Files.readAttributes(path(level, name), BasicFileAttributes.class));
    }

    private InputStream openContent(int level, LtxFileName name, long offset, long length) throws IOException {
        checkOpen();
        if (offset < 0 || length < TO_END) {
            throw new IllegalArgumentException("no such range: offset " + offset + ", length " + length);
        }
        Path path = path(level, name);
        FileChannel channel = openChannel(level, name, path);
        try {
            long size = channel.size();
            if (offset > size) {
                throw new ReplicaFileChangedException(
                        path + ", listed with more than " + offset + " bytes and now of " + size + ",");
            }
            channel.position(offset);
            long available = size - offset;
            return new RangeInputStream(
                    this, path, channel, length == TO_END ? available : Math.min(length, available));
        } catch (Throwable e) {
            try {
                channel.close();
            } catch (IOException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw e;
        }
    }

    /** Opens a file without retries: the failures of a disk last. */
    @Override
    public InputStream open(int level, LtxFileName name, long offset, long length) throws IOException {
        return openFile(level, name, offset, length).content();
    }

    @Override
    public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
        Path path = path(level, name);
        String before = version(path);
        InputStream content = openContent(level, name, offset, length);
        OptionalLong checksum = OptionalLong.empty();
        String after = null;
        boolean done = false;
        try {
            checksum = DatabaseChecksum.of(path);
            after = version(path);
            if (after != null && !after.equals(before)) { // the attributes may be of another file than the content
                throw new ReplicaFileChangedException(path.toString());
            }
            done = true;
        } catch (NoSuchFileException e) {
            done = true; // just deleted; an open file stays readable to its end
        } finally {
            if (!done) {
                content.close();
            }
        }
        return new OpenedFile(content, checksum, after);
    }

    /** Returns the version of a file; null if it does not exist. */
    private static @Nullable String version(Path path) throws IOException {
        try {
            BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
            return file.fileKey() + " " + file.size() + " " + file.lastModifiedTime();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private FileChannel openChannel(int level, LtxFileName name, Path path) throws IOException {
        try {
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new ReplicaFileNotFoundException(
                    url(), "no file " + name + " in level " + level, "it may have been deleted by retention", e);
        } catch (AccessDeniedException e) {
            throw denied("read " + path, e);
        }
    }

    @Override
    public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
            throws IOException {
        checkOpen();
        try {
            FileFolders.create(folder(level));
            return FileReplicaUpload.begin(this, publisher, level, name, timestamp, databaseChecksum);
        } catch (FileAlreadyExistsException | NotDirectoryException e) {
            throw inTheWay(e);
        } catch (AccessDeniedException e) {
            throw denied("write below " + root, e);
        }
    }

    private ReplicaAccessException inTheWay(FileSystemException e) {
        return new ReplicaAccessException(
                url(), "there is a file in place of the folder " + e.getFile(), "remove it or change the URL", e);
    }

    @Override
    public void delete(int level, Collection<LtxFileName> names) throws IOException {
        checkOpen();
        List<LtxFileName> remaining = new ArrayList<>();
        IOException first = null;
        for (LtxFileName name : names) {
            try {
                Files.deleteIfExists(path(level, name));
            } catch (IOException e) {
                remaining.add(name);
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        if (first != null) {
            throw new ReplicaDeleteException(
                    url(),
                    remaining,
                    "could not delete " + remaining + " of level " + level + ": " + first,
                    "give this process's user the right to delete there",
                    first);
        }
    }

    @Override
    public Optional<MarkStore> marks() {
        return Optional.of(marks);
    }

    @Override
    public void close() {
        closed = true;
    }

    void checkOpen() throws IOException {
        if (closed) {
            throw new ReplicaClosedException(url());
        }
    }

    Path folder(int level) {
        if (level < 0 || level > SNAPSHOT_LEVEL) {
            throw new IllegalArgumentException("no such level: " + level);
        }
        return root.resolve("ltx").resolve(Integer.toString(level));
    }

    Path path(int level, LtxFileName name) {
        return folder(level).resolve(name.toString());
    }

    private ReplicaAccessException denied(String action, AccessDeniedException cause) {
        return new ReplicaAccessException(
                url(), "not allowed to " + action, "give this process's user the right to do so", cause);
    }
}
