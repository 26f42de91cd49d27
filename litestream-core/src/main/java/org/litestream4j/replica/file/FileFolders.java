package org.litestream4j.replica.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import org.litestream4j.internal.files.PrivateFiles;

/** Durable changes of folders, whose entries survive a power failure. */
final class FileFolders {

    /** False on Windows, which cannot open a folder; NTFS journals its entries. */
    private static final boolean CAN_FORCE =
            !System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");

    private FileFolders() {}

    /** Creates a folder and its missing parents, and makes each durable. */
    static void create(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Path parent = folder.getParent();
        if (parent != null) {
            create(parent);
        }
        try {
            PrivateFiles.createDirectory(folder);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder)) {
                throw e;
            }
            return; // created by another process in the meantime
        }
        if (parent != null) {
            force(parent);
        }
    }

    /** Forces the entries of a folder to the disk. */
    static void force(Path folder) throws IOException {
        if (CAN_FORCE) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }
}
