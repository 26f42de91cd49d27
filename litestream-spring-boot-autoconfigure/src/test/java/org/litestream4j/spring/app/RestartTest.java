package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

/** What Spring Boot's devtools do: the application ends and begins anew in the same process, with its classes loaded anew. */
class RestartTest {

    private static final int RESTARTS = 3;
    private static final long LARGE = 100_000;

    @TempDir
    Path folder;

    /** Devtools load the classes of the application anew, and ours if they are a project beside it. */
    @ParameterizedTest
    @ValueSource(strings = {"org.litestream4j.spring.app.", "org.litestream4j."})
    void restarted_goesOnWithoutAFullImage_andLeavesNothingBehind(String prefix) throws Exception {
        run(prefix, jdbc -> {
            for (int i = 0; i < 300; i++) {
                jdbc.sql("insert into note (text) values (hex(randomblob(2000)))")
                        .update();
            }
        });
        List<String> before = images();
        assertThat(before).isNotEmpty();
        for (int i = 0; i < RESTARTS; i++) {
            int files = level0().size();
            run(prefix, jdbc -> jdbc.sql("insert into note (text) values ('after')")
                    .update());
            assertThat(level0()).hasSizeGreaterThan(files);
        }
        assertThat(images()).isEqualTo(before);
        for (Path file : List.of(folder.resolve("app.db"), folder.resolve("app.db-wal"))) {
            Files.deleteIfExists(file);
        }
        run(prefix, jdbc -> assertThat(
                        jdbc.sql("select count(*) from note").query(Long.class).single())
                .isEqualTo(300 + RESTARTS));
    }

    private interface Work {
        void with(JdbcClient jdbc);
    }

    private void run(String prefix, Work work) throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        Anew loader = new Anew(before, prefix);
        thread.setContextClassLoader(loader);
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(
                        loader.loadClass("org.litestream4j.spring.app.NotesApplication"))
                .web(WebApplicationType.NONE)
                .run(
                        "--spring.main.banner-mode=off",
                        "--spring.liquibase.enabled=false",
                        "--spring.flyway.locations=classpath:db/notes",
                        "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                        "--litestream.replica.url=" + folder.resolve("replica").toUri())) {
            Object operations = context.getBean("litestreamOperations");
            boolean anew = operations.getClass().getClassLoader() == loader;
            assertThat(anew).isEqualTo("org.litestream4j.".equals(prefix));
            work.with(context.getBean(JdbcClient.class));
            operations
                    .getClass()
                    .getInterfaces()[0]
                    .getMethod("awaitReplicated", Duration.class)
                    .invoke(operations, Duration.ofSeconds(30));
        } finally {
            thread.setContextClassLoader(before);
        }
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(threads(loader)).isEmpty());
        assertThat(openFiles()).isEmpty();
        assertThat(System.getProperties().stringPropertyNames()).noneMatch(name -> name.contains(folder.toString()));
    }

    private static List<String> threads(ClassLoader loader) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getContextClassLoader() == loader)
                .map(Thread::getName)
                .filter(name -> name.contains("litestream"))
                .toList();
    }

    private List<String> openFiles() throws IOException {
        Path descriptors = Path.of("/proc/self/fd");
        assumeThat(descriptors).isDirectory();
        try (Stream<Path> all = Files.list(descriptors)) {
            return all.map(RestartTest::target)
                    .filter(file -> file.startsWith(folder.toString()))
                    .toList();
        }
    }

    private static String target(Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).toString();
        } catch (IOException e) {
            return ""; // closed since it was listed
        }
    }

    private List<Path> level0() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("replica/ltx/0"))) {
            return files.filter(file -> file.toString().endsWith(".ltx"))
                    .sorted()
                    .toList();
        }
    }

    /** Those that hold the database, not only what was committed. A merge of levels 1 to 3 may come at any moment. */
    private List<String> images() throws IOException {
        List<String> images = new ArrayList<>();
        for (String level : List.of("0", "9")) {
            Path files = folder.resolve("replica/ltx").resolve(level);
            if (Files.exists(files)) {
                try (Stream<Path> all = Files.list(files)) {
                    all.filter(file -> file.toFile().length() > LARGE)
                            .map(Path::toString)
                            .sorted()
                            .forEach(images::add);
                }
            }
        }
        return images;
    }

    /** Loads some classes itself that its parent has, too. */
    private static final class Anew extends ClassLoader {

        private final String prefix;

        Anew(ClassLoader parent, String prefix) {
            super(parent);
            this.prefix = prefix;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded == null && name.startsWith(prefix)) {
                    loaded = define(name);
                }
                return loaded != null ? loaded : super.loadClass(name, resolve);
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
