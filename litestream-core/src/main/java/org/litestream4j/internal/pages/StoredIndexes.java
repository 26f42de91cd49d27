package org.litestream4j.internal.pages;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.PrivateFiles;
import org.litestream4j.ltx.LtxChecksum;
import org.litestream4j.replica.LtxFileInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Beginnings and ends of files seen before, in a folder, so that the next opening need not read them from the replica.
 * Each has a checksum; what is damaged, or belongs to a file that is listed differently now, counts as missing. Failures of
 * the disk are logged and otherwise ignored. Thread-safe.
 */
final class StoredIndexes {

    private static final Logger log = LoggerFactory.getLogger(StoredIndexes.class);

    private static final int MAGIC = 0x4C_50_49_31;

    private static final int MAX_STORED_FILES = 200;

    private static final int MAX_BYTES = 1 << 30;

    private final @Nullable Path folder;

    /**
     * @param parent folder of the cache; null to keep nothing
     * @param replica address of the replica
     */
    StoredIndexes(@Nullable Path parent, String replica) {
        folder = parent == null ? null : parent.resolve("index-" + key(replica));
    }

    /** Returns a name for what belongs to a replica. */
    static String key(String replica) {
        LtxChecksum checksum = new LtxChecksum();
        byte[] bytes = replica.getBytes(StandardCharsets.UTF_8);
        checksum.update(bytes, 0, bytes.length);
        return Long.toHexString(checksum.stored());
    }

    /** Returns the parts of a file; null if they are not stored. */
    @Nullable
    IndexParts find(LtxFileInfo file) {
        if (folder == null) {
            return null;
        }
        Path path = path(folder, file);
        try {
            if (Files.size(path) > MAX_BYTES) {
                return null;
            }
            byte[] bytes = Files.readAllBytes(path);
            LtxChecksum checksum = new LtxChecksum();
            int length = bytes.length - Long.BYTES;
            if (length < 0) {
                return null;
            }
            checksum.update(bytes, 0, length);
            DataInputStream end = new DataInputStream(new ByteArrayInputStream(bytes, length, Long.BYTES));
            if (end.readLong() != checksum.stored()) {
                return null;
            }
            IndexParts parts = decode(new DataInputStream(new ByteArrayInputStream(bytes, 0, length)), file);
            if (parts != null) {
                Files.setLastModifiedTime(path, FileTime.fromMillis(System.currentTimeMillis()));
            }
            return parts;
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException | RuntimeException e) {
            log.warn("page index {} cannot be read and is fetched again: {}", path, e.toString());
            return null;
        }
    }

    private static @Nullable IndexParts decode(DataInputStream in, LtxFileInfo file) throws IOException {
        if (in.readInt() != MAGIC || !in.readUTF().equals(file.toString())) {
            return null;
        }
        String version = in.readBoolean() ? in.readUTF() : null;
        OptionalLong checksum = in.readBoolean() ? OptionalLong.of(in.readLong()) : OptionalLong.empty();
        byte[] head = in.readNBytes(in.readInt());
        return new IndexParts(version, checksum, head, in.readNBytes(in.readInt()));
    }

    /** Stores the parts of a file. */
    void store(LtxFileInfo file, IndexParts parts) {
        if (folder == null || (long) parts.head().length + parts.tail().length > MAX_BYTES / 2) {
            return;
        }
        Path path = path(folder, file);
        try {
            PrivateFiles.createDirectories(folder);
            Path temporary = Files.createTempFile(folder, "index", ".tmp");
            try {
                try (OutputStream out = Files.newOutputStream(temporary)) {
                    out.write(encode(file, parts));
                }
                Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            log.warn("page index {} cannot be stored: {}", path, e.toString());
        }
    }

    private static byte[] encode(LtxFileInfo file, IndexParts parts) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(parts.head().length + parts.tail().length + 500);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeUTF(file.toString());
        out.writeBoolean(parts.version() != null);
        if (parts.version() != null) {
            out.writeUTF(parts.version());
        }
        out.writeBoolean(parts.databaseChecksum().isPresent());
        if (parts.databaseChecksum().isPresent()) {
            out.writeLong(parts.databaseChecksum().getAsLong());
        }
        out.writeInt(parts.head().length);
        out.write(parts.head());
        out.writeInt(parts.tail().length);
        out.write(parts.tail());
        byte[] content = bytes.toByteArray();
        LtxChecksum checksum = new LtxChecksum();
        checksum.update(content, 0, content.length);
        out.writeLong(checksum.stored());
        return bytes.toByteArray();
    }

    /** Removes what is stored of a file that turned out to be different. */
    void forget(LtxFileInfo file) {
        if (folder != null) {
            try {
                Files.deleteIfExists(path(folder, file));
            } catch (IOException e) {
                log.warn("page index {} cannot be deleted: {}", path(folder, file), e.toString());
            }
        }
    }

    /** Removes those that were not used for the longest time, and keeps the others. */
    void prune() {
        if (folder == null || !Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = new ArrayList<>(files.toList());
            if (all.size() > MAX_STORED_FILES) {
                all.sort(Comparator.comparing(StoredIndexes::lastUsed).reversed());
                for (Path path : all.subList(MAX_STORED_FILES, all.size())) {
                    Files.deleteIfExists(path);
                }
            }
        } catch (IOException e) {
            log.warn("page indexes in {} cannot be deleted: {}", folder, e.toString());
        }
    }

    private static FileTime lastUsed(Path path) {
        try {
            return Files.getLastModifiedTime(path);
        } catch (IOException e) {
            return FileTime.fromMillis(0);
        }
    }

    private static Path path(Path folder, LtxFileInfo file) {
        return folder.resolve(file.level() + "-" + file.name());
    }
}
