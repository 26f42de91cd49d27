package org.litestream4j.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
        return new TestFolders(Files.createTempDirectory("litestream-test"));
    }

    /** Returns the folders of a context; null if its test class is not annotated. */
    static @Nullable TestFolders of(ConfigurableApplicationContext context) {
        return context.containsBean(BEAN) ? context.getBean(BEAN, TestFolders.class) : null;
    }

    Path replica() {
        return root.resolve("replica");
    }

    Map<String, Object> settings(boolean database) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("litestream.enabled", "true");
        settings.put("litestream.replica.url", replica().toUri().toString());
        if (database) {
            settings.put(
                    "spring.datasource.url",
                    "jdbc:sqlite:" + root.resolve("disk").resolve("app.db"));
            settings.put("spring.test.database.replace", "none");
        }
        return settings;
    }

    /** Registers the deletion. The bean that is registered first is destroyed last, after the last upload. */
    void register(ConfigurableApplicationContext context) {
        kept = false;
        DefaultListableBeanFactory factory = (DefaultListableBeanFactory) context.getBeanFactory();
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
