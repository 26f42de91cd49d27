package org.litestream4j.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.util.FileSystemUtils;

/** The temporary folders of a test class. Deleted with the context, unless {@link #keep} was called before. */
final class TestFolders {

    private static final String BEAN = "litestreamTestFolders";

    private final Path root;
    private volatile boolean kept;

    private TestFolders(Path root) {
        this.root = root;
    }

    static TestFolders create() throws IOException {
        TestFolders folders = new TestFolders(
                Files.createTempDirectory("litestream-test").toAbsolutePath().normalize());
        Files.createDirectories(folders.databases());
        return folders;
    }

    /** Returns the folders of a context; null if its test class is not annotated. */
    static @Nullable TestFolders of(ConfigurableApplicationContext context) {
        return context.containsBean(BEAN) ? context.getBean(BEAN, TestFolders.class) : null;
    }

    /** Returns the folder of all replicas. */
    Path replica() {
        return root.resolve("replica");
    }

    /** Returns the folder of the local states. */
    Path state() {
        return root.resolve("state");
    }

    /** Returns the folder of the application's database. */
    Path disk() {
        return root.resolve("disk");
    }

    /** Returns the folder of the databases that settings name. */
    Path databases() {
        return disk().resolve("databases");
    }

    /** Returns the URL of a replica in a folder. */
    static String url(Path folder) {
        return folder.toUri().toString().replaceFirst("/$", "");
    }

    /** Returns whether a file or folder is in the folder of the test. */
    boolean contains(Path path) {
        return path.toAbsolutePath().normalize().startsWith(root);
    }

    /** Returns whether a URL names a replica in the folder of the test. */
    boolean containsReplica(String url) {
        return url.startsWith(url(replica()) + "/") && !url.contains("/..");
    }

    /** Registers the check of the isolation, and the deletion. The bean that is registered first is destroyed last, after the last upload. */
    void register(ConfigurableApplicationContext context) {
        kept = false;
        DefaultListableBeanFactory factory = (DefaultListableBeanFactory) context.getBeanFactory();
        factory.addBeanPostProcessor(new Isolation(this));
        factory.registerSingleton(BEAN, this);
        factory.registerDisposableBean(BEAN, this::delete);
    }

    /** Keeps the folders beyond the end of the present context. */
    void keep() {
        kept = true;
    }

    private void delete() throws IOException {
        if (!kept) {
            FileSystemUtils.deleteRecursively(root);
        }
    }

    /** Copies the files that are complete on the replica at this moment. */
    static void copyReplica(Path replica, Path target) throws IOException {
        List<Path> files;
        do { // until no file appeared or vanished in the meantime
            FileSystemUtils.deleteRecursively(target);
            files = files(replica);
            for (Path file : files) {
                Path copy = target.resolve(replica.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                try {
                    Files.copy(file, copy);
                } catch (NoSuchFileException e) {
                    // deleted in the meantime: the lists differ
                }
            }
        } while (!files.equals(files(replica)));
    }

    static List<Path> files(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            return new ArrayList<>(all.filter(Files::isRegularFile)
                    .filter(file -> file.toString().endsWith(".ltx"))
                    .sorted(Comparator.naturalOrder())
                    .toList());
        } catch (UncheckedIOException e) { // a folder was deleted in the meantime
            return List.of(folder);
        }
    }
}
