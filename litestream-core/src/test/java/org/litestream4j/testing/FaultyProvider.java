package org.litestream4j.testing;

import static org.litestream4j.testing.FaultyPath.real;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The calls of the default file system, each of which may fail, or hang, as a {@link FaultyFiles} says. */
final class FaultyProvider extends FileSystemProvider {

    private final FaultyFileSystem system;
    private final FaultyFiles faults;

    FaultyProvider(FaultyFileSystem system, FaultyFiles faults) {
        this.system = system;
        this.faults = faults;
    }

    private interface Action<T> {
        T run() throws IOException;
    }

    /** Fails before or after the action. */
    private <T> T call(FaultyFiles.Call call, Path path, Action<T> action) throws IOException {
        if (faults.strikes(call)) {
            if (faults.random(2) == 0) {
                action.run();
            }
            throw FaultyFiles.error(path, "Input/output error");
        }
        return action.run();
    }

    private static FileSystemProvider provider(Path path) {
        return real(path).getFileSystem().provider();
    }

    @Override
    public String getScheme() {
        return "faulty";
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> env) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return system;
    }

    @Override
    public Path getPath(URI uri) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        if (faults.strikes(FaultyFiles.Call.OPEN)) {
            throw FaultyFiles.error(path, "Too many open files");
        }
        return new FaultyChannel(faults, path, provider(path).newFileChannel(real(path), options, attributes));
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        if (faults.strikes(FaultyFiles.Call.LIST)) {
            throw FaultyFiles.error(folder, "Input/output error");
        }
        List<Path> paths = new ArrayList<>();
        try (DirectoryStream<Path> found = provider(folder)
                .newDirectoryStream(real(folder), path -> filter.accept(new FaultyPath(system, path)))) {
            found.forEach(path -> paths.add(new FaultyPath(system, path)));
        }
        return new DirectoryStream<>() {
            @Override
            public Iterator<Path> iterator() {
                return paths.iterator();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void createDirectory(Path folder, FileAttribute<?>... attributes) throws IOException {
        call(FaultyFiles.Call.CREATE, folder, () -> {
            provider(folder).createDirectory(real(folder), attributes);
            return folder;
        });
    }

    @Override
    public void delete(Path path) throws IOException {
        call(FaultyFiles.Call.DELETE, path, () -> {
            provider(path).delete(real(path));
            return path;
        });
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        provider(source).copy(real(source), real(target), options);
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        call(FaultyFiles.Call.MOVE, source, () -> {
            provider(source).move(real(source), real(target), options);
            return target;
        });
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        return provider(path).isSameFile(real(path), real(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return provider(path).isHidden(real(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        if (faults.hidesStores()) {
            throw new IOException("Mount point not found");
        }
        return provider(path).getFileStore(real(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        provider(path).checkAccess(real(path), modes);
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return provider(path).getFileAttributeView(real(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        faults.awaitRelease();
        return provider(path).readAttributes(real(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        faults.awaitRelease();
        return provider(path).readAttributes(real(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        provider(path).setAttribute(real(path), attribute, value, options);
    }
}
