package org.litestream4j.replica.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaAccessException;

/** Marks as files {@code marks/<name>.mark}, beside the folder {@code ltx}. Thread-safe. */
final class FileMarks implements MarkStore {

    static final String SUFFIX = ".mark";

    private final FileReplicaClient client;
    private final Path folder;
    private final Publisher publisher;

    FileMarks(FileReplicaClient client, Path folder, Publisher publisher) {
        this.client = client;
        this.folder = folder;
        this.publisher = publisher;
    }

    @Override
    public List<Stored> list() throws IOException {
        client.checkOpen();
        List<Stored> marks = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!name.endsWith(SUFFIX) || !Mark.isName(name.substring(0, name.length() - SUFFIX.length()))) {
                    continue;
                }
                try {
                    BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                    if (attributes.isRegularFile()) {
                        marks.add(new Stored(
                                name.substring(0, name.length() - SUFFIX.length()),
                                attributes.fileKey() + " " + attributes.size() + " " + attributes.lastModifiedTime()));
                    }
                } catch (NoSuchFileException e) {
                    // removed in the meantime
                }
            }
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (AccessDeniedException e) {
            throw denied("list " + folder, e);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        marks.sort(Comparator.comparing(Stored::name));
        return marks;
    }

    @Override
    public Optional<byte[]> read(String name) throws IOException {
        client.checkOpen();
        try (InputStream in = Files.newInputStream(path(name))) {
            return Optional.of(in.readNBytes(Mark.MAX_BYTES + 1));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (AccessDeniedException e) {
            throw denied("read " + path(name), e);
        }
    }

    @Override
    public boolean create(String name, byte[] content) throws IOException {
        client.checkOpen();
        Path target = path(name);
        String suffix = HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
        Path temporary = folder.resolve("." + name + "." + suffix + ".tmp");
        try {
            FileFolders.create(folder);
            try (FileChannel channel =
                    PrivateFiles.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(content);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            publisher.publish(temporary, target);
            DurableFiles.forceFolder(folder);
            return true;
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw new ReplicaAccessException(
                        client.url(),
                        "there is a file in place of the folder " + folder,
                        "remove it or change the URL",
                        e);
            }
            return false;
        } catch (AccessDeniedException e) {
            throw denied("write below " + folder, e);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    @Override
    public boolean remove(String name) throws IOException {
        client.checkOpen();
        try {
            boolean removed = Files.deleteIfExists(path(name));
            if (removed) {
                DurableFiles.forceFolder(folder);
            }
            return removed;
        } catch (AccessDeniedException e) {
            throw denied("delete " + path(name), e);
        }
    }

    private Path path(String name) {
        return folder.resolve(Mark.requireName(name) + SUFFIX);
    }

    private ReplicaAccessException denied(String action, AccessDeniedException cause) {
        return new ReplicaAccessException(
                client.url(), "not allowed to " + action, "give this process's user the right to do so", cause);
    }
}
