package org.litestream4j.replica.file;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.litestream4j.internal.files.DurableFiles;
import org.litestream4j.internal.files.PrivateFiles;

/** Durable changes of folders, whose entries survive a power failure. */
final class FileFolders {

    /** False on Windows, which cannot open a folder; NTFS journals its entries. */
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
            DurableFiles.forceFolder(parent);
        }
    }
}
