package org.litestream4j.testing;

import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The files of the default file system, behind paths that fail at random from a seed: calls before or after they took effect, writes in
 * the middle, an fsync that loses what was written. Writes may be short without an error. Thread-safe.
 */
public final class FaultyFiles extends FileSystemProvider {

    /** What can fail. */
    public enum Call {
        OPEN,
        READ,
        WRITE,
        FORCE,
        CREATE,
        MOVE,
        DELETE,
        LIST
    }

    private enum Mode {
        CALM,
        RANDOM,
        FULL
    }

    private final FaultyFileSystem system = new FaultyFileSystem();
    private final Random random;
    private final Map<Call, Integer> faults = new EnumMap<>(Call.class);
    private Mode mode = Mode.CALM;
    private int most;
    private int left;
    private int shortWrites;
    private int tornWrites;
    private volatile boolean losingWrites;
    private volatile boolean withoutStores;
    private boolean hanging;
    private Path hangingWrites;
    private int waiting;
    private volatile LongConsumer beforeRead = at -> {};
    private volatile Consumer<Call> beforeCall = call -> {};

    public FaultyFiles(long seed) {
        random = new Random(seed);
    }

    /** The same place, with faults. */
    public Path path(Path real) {
        return new FaultyPath(real);
    }

    /** One of at most so many calls fails, again and again. */
    public synchronized void failOneOf(int calls) {
        mode = Mode.RANDOM;
        most = calls;
        left = 1 + random.nextInt(calls);
    }

    /** Nothing can be written or created. */
    public synchronized void fill() {
        mode = Mode.FULL;
    }

    /** Nothing fails; writes may still be short. */
    public synchronized void calm() {
        mode = Mode.CALM;
    }

    /** Writes take no effect, and no error tells. */
    public void loseWrites() {
        losingWrites = true;
    }

    /** No file store is found, as in some containers. */
    public void hideStores() {
        withoutStores = true;
    }

    /** Runs an action before each read at a position, which it gets. */
    public void beforeRead(LongConsumer action) {
        beforeRead = action;
    }

    /** Runs an action before each call. */
    public void beforeCall(Consumer<Call> action) {
        beforeCall = action;
    }

    /** How many calls of each kind failed. */
    public synchronized Map<Call, Integer> faults() {
        return new EnumMap<>(faults);
    }

    public synchronized int shortWrites() {
        return shortWrites;
    }

    /** Of the failed writes, those that wrote a part. */
    public synchronized int tornWrites() {
        return tornWrites;
    }

    /** Calls for attributes do not return until {@link #release}, as those of a network file system whose server is away. */
    public synchronized void hang() {
        hanging = true;
    }

    /** Writes to files below a folder do not return until {@link #release}. */
    public synchronized void hangWrites(Path folder) {
        hangingWrites = folder;
    }

    public synchronized void release() {
        hanging = false;
        hangingWrites = null;
        notifyAll();
    }

    /** Whether a call hangs. */
    public synchronized boolean isWaiting() {
        return waiting > 0;
    }

    private synchronized void awaitRelease() {
        await(() -> hanging);
    }

    private synchronized void awaitWrites(Path file) {
        await(() -> hangingWrites != null && real(file).startsWith(hangingWrites));
    }

    private synchronized void await(BooleanSupplier hangs) {
        waiting++;
        while (hangs.getAsBoolean()) {
            try {
                wait();
            } catch (InterruptedException e) {
                throw new AssertionError("threads that use files are never interrupted", e);
            }
        }
        waiting--;
    }

    private boolean strikes(Call call) {
        beforeCall.accept(call);
        return isStruck(call);
    }

    private synchronized boolean isStruck(Call call) {
        boolean strikes =
                switch (mode) {
                    case CALM -> false;
                    case FULL -> call == Call.WRITE || call == Call.CREATE;
                    case RANDOM -> --left <= 0;
                };
        if (strikes) {
            left = most == 0 ? 0 : 1 + random.nextInt(most);
            faults.merge(call, 1, Integer::sum);
        }
        return strikes;
    }

    private synchronized int random(int bound) {
        return random.nextInt(bound);
    }

    private static IOException error(Path path, String text) {
        return new FileSystemException(path.toString(), null, text);
    }

    private interface Action<T> {
        T run() throws IOException;
    }

    /** Fails before or after the action. */
    private <T> T call(Call call, Path path, Action<T> action) throws IOException {
        if (strikes(call)) {
            if (random(2) == 0) {
                action.run();
            }
            throw error(path, "Input/output error");
        }
        return action.run();
    }

    private static Path real(Path path) {
        return path instanceof FaultyPath faulty ? faulty.real : path;
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
        if (strikes(Call.OPEN)) {
            throw error(path, "Too many open files");
        }
        return new FaultyChannel(path, provider(path).newFileChannel(real(path), options, attributes));
    }

    @Override
    public SeekableByteChannel newByteChannel(
            Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
        return newFileChannel(path, options, attributes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path folder, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        if (strikes(Call.LIST)) {
            throw error(folder, "Input/output error");
        }
        List<Path> paths = new ArrayList<>();
        try (DirectoryStream<Path> found =
                provider(folder).newDirectoryStream(real(folder), path -> filter.accept(new FaultyPath(path)))) {
            found.forEach(path -> paths.add(new FaultyPath(path)));
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
        call(Call.CREATE, folder, () -> {
            provider(folder).createDirectory(real(folder), attributes);
            return folder;
        });
    }

    @Override
    public void delete(Path path) throws IOException {
        call(Call.DELETE, path, () -> {
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
        call(Call.MOVE, source, () -> {
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
        if (withoutStores) {
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
        awaitRelease();
        return provider(path).readAttributes(real(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        awaitRelease();
        return provider(path).readAttributes(real(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        provider(path).setAttribute(real(path), attribute, value, options);
    }

    private final class FaultyChannel extends FileChannel {
        private final Path path;
        private final FileChannel channel;

        /** Where and how much was written last, and may be lost. */
        private long unforced;

        private int unforcedSize;

        FaultyChannel(Path path, FileChannel channel) {
            this.path = path;
            this.channel = channel;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            checkRead();
            return channel.read(target);
        }

        @Override
        public int read(ByteBuffer target, long at) throws IOException {
            beforeRead.accept(at);
            checkRead();
            return channel.read(target, at);
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
            checkRead();
            return channel.read(targets, offset, length);
        }

        private void checkRead() throws IOException {
            if (strikes(Call.READ)) {
                throw error(path, "Input/output error");
            }
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            long at = channel.position();
            int count;
            try {
                count = write(source, at);
            } catch (IOException e) {
                channel.position(at + unforcedSize);
                throw e;
            }
            channel.position(at + count);
            return count;
        }

        @Override
        public int write(ByteBuffer source, long at) throws IOException {
            awaitWrites(path);
            unforced = at;
            unforcedSize = 0;
            int size = source.remaining();
            if (size > 0 && strikes(Call.WRITE)) {
                int part = random(2) == 0 ? 0 : random(size);
                if (part > 0) {
                    synchronized (FaultyFiles.this) {
                        tornWrites++;
                    }
                    unforcedSize = writePart(source, at, part);
                }
                throw new IOException("No space left on device");
            }
            int part = size;
            if (size > 1 && random(4) == 0) {
                part = 1 + random(size - 1);
                synchronized (FaultyFiles.this) {
                    shortWrites++;
                }
            }
            unforcedSize = writePart(source, at, part);
            return unforcedSize;
        }

        private int writePart(ByteBuffer source, long at, int size) throws IOException {
            if (losingWrites) {
                source.position(source.position() + size);
                return size;
            }
            int end = source.limit();
            try {
                source.limit(source.position() + size);
                return channel.write(source, at);
            } finally {
                source.limit(end);
            }
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
            return write(sources[offset]);
        }

        @Override
        public void force(boolean metaData) throws IOException {
            if (strikes(Call.FORCE)) {
                if (unforcedSize > 0 && random(2) == 0) {
                    int lost = 1 + random(unforcedSize);
                    channel.write(ByteBuffer.allocate(lost), unforced + unforcedSize - lost);
                }
                throw new IOException("Input/output error");
            }
            channel.force(metaData);
            unforcedSize = 0;
        }

        @Override
        public long position() throws IOException {
            return channel.position();
        }

        @Override
        public FileChannel position(long at) throws IOException {
            channel.position(at);
            return this;
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            channel.truncate(size);
            return this;
        }

        @Override
        public long transferTo(long at, long count, WritableByteChannel target) throws IOException {
            checkRead();
            return channel.transferTo(at, count, target);
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long at, long count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public MappedByteBuffer map(MapMode mapMode, long at, long size) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileLock lock(long at, long size, boolean shared) throws IOException {
            return channel.lock(at, size, shared);
        }

        @Override
        public FileLock tryLock(long at, long size, boolean shared) throws IOException {
            return channel.tryLock(at, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            channel.close();
        }
    }

    private final class FaultyPath implements Path {
        private final Path real;

        FaultyPath(Path real) {
            this.real = real;
        }

        private Path orNull(Path path) {
            return path == null ? null : new FaultyPath(path);
        }

        @Override
        public FileSystem getFileSystem() {
            return system;
        }

        @Override
        public boolean isAbsolute() {
            return real.isAbsolute();
        }

        @Override
        public Path getRoot() {
            return orNull(real.getRoot());
        }

        @Override
        public Path getFileName() {
            return orNull(real.getFileName());
        }

        @Override
        public Path getParent() {
            return orNull(real.getParent());
        }

        @Override
        public int getNameCount() {
            return real.getNameCount();
        }

        @Override
        public Path getName(int index) {
            return new FaultyPath(real.getName(index));
        }

        @Override
        public Path subpath(int begin, int end) {
            return new FaultyPath(real.subpath(begin, end));
        }

        @Override
        public boolean startsWith(Path other) {
            return real.startsWith(real(other));
        }

        @Override
        public boolean endsWith(Path other) {
            return real.endsWith(real(other));
        }

        @Override
        public Path normalize() {
            return new FaultyPath(real.normalize());
        }

        @Override
        public Path resolve(Path other) {
            return new FaultyPath(real.resolve(real(other)));
        }

        @Override
        public Path relativize(Path other) {
            return new FaultyPath(real.relativize(real(other)));
        }

        @Override
        public URI toUri() {
            return real.toUri();
        }

        @Override
        public File toFile() {
            return real.toFile();
        }

        @Override
        public Path toAbsolutePath() {
            return new FaultyPath(real.toAbsolutePath());
        }

        @Override
        public Path toRealPath(LinkOption... options) throws IOException {
            return new FaultyPath(real.toRealPath(options));
        }

        @Override
        public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int compareTo(Path other) {
            return real.compareTo(real(other));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof FaultyPath path && real.equals(path.real);
        }

        @Override
        public int hashCode() {
            return real.hashCode();
        }

        @Override
        public String toString() {
            return real.toString();
        }
    }

    private final class FaultyFileSystem extends FileSystem {
        private final FileSystem real = FileSystems.getDefault();

        @Override
        public FileSystemProvider provider() {
            return FaultyFiles.this;
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public boolean isReadOnly() {
            return false;
        }

        @Override
        public String getSeparator() {
            return real.getSeparator();
        }

        @Override
        public Iterable<Path> getRootDirectories() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Iterable<FileStore> getFileStores() {
            return real.getFileStores();
        }

        @Override
        public Set<String> supportedFileAttributeViews() {
            return real.supportedFileAttributeViews();
        }

        @Override
        public Path getPath(String first, String... more) {
            return new FaultyPath(real.getPath(first, more));
        }

        @Override
        public PathMatcher getPathMatcher(String pattern) {
            PathMatcher matcher = real.getPathMatcher(pattern);
            return path -> matcher.matches(real(path));
        }

        @Override
        public UserPrincipalLookupService getUserPrincipalLookupService() {
            return real.getUserPrincipalLookupService();
        }

        @Override
        public WatchService newWatchService() {
            throw new UnsupportedOperationException();
        }
    }
}
