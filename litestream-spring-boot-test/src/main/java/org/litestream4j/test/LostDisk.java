package org.litestream4j.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.DatabaseState;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.internal.capture.LocalState;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.util.ClassUtils;
import org.springframework.util.FileSystemUtils;

/**
 * Loses the disk of an application: its databases and their local state. {@link #simulate} closes the context;
 * {@link #restart} starts the application again, which restores the databases from their replicas.
 *
 * <p>In a test class with {@link AutoConfigureLitestream}, the replica is set back to what it contained at the call:
 * changes that were not yet replicated are lost, as in a real loss. With other replicas, closing the context uploads
 * them first.
 *
 * <pre>{@code
 * @Test
 * void lostDisk_isRestored(@Autowired ConfigurableApplicationContext context) throws Exception {
 *     notes.add("kept");
 *     operations.awaitReplicated(Duration.ofSeconds(10));
 *     try (ConfigurableApplicationContext restarted = LostDisk.simulate(context).restart()) {
 *         assertThat(restarted.getBean(Notes.class).count()).isEqualTo(1);
 *     }
 * }
 * }</pre>
 */
public final class LostDisk {

    /** Absent in applications without a web server. */
    private static final String WEB_SERVER = "org.springframework.boot.web.server.context.WebServerApplicationContext";

    private final List<Class<?>> sources;
    private final boolean isWeb;
    private final String[] profiles;
    private final List<PropertySource<?>> settings;
    private final @Nullable TestFolders folders;
    private final List<Path> lost;

    private LostDisk(ConfigurableApplicationContext context, List<Path> lost) { // before the context is closed
        this.sources = context.getBeansWithAnnotation(SpringBootConfiguration.class).values().stream()
                .<Class<?>>map(ClassUtils::getUserClass)
                .toList();
        this.isWeb = hasWebServer(context);
        ConfigurableEnvironment environment = context.getEnvironment();
        this.profiles = environment.getActiveProfiles();
        this.settings = new ArrayList<>();
        environment.getPropertySources().forEach(settings::add);
        this.folders = TestFolders.of(context);
        this.lost = lost;
    }

    /**
     * Closes the context and deletes the files of all its replicated databases, and their local state. Other files in the
     * folders of a local state are kept. If it is the context of the running test, the next test method gets a new one.
     *
     * @throws IllegalStateException if the context replicates no database, if the state of one is not
     *     {@link DatabaseState#REPLICATING}, or if a database or its local state is neither in the folders of
     *     {@link AutoConfigureLitestream} nor below {@code java.io.tmpdir}; then nothing was deleted
     * @throws IOException if a file cannot be deleted, or if another process has begun to replicate a database
     */
    public static LostDisk simulate(ConfigurableApplicationContext context) throws IOException {
        Litestream litestream = context.getBeanProvider(Litestream.class).getIfAvailable();
        List<DatabaseConfig> configs = litestream == null
                ? List.of()
                : litestream.databases().stream().map(ManagedDatabase::config).toList();
        if (litestream == null || configs.isEmpty()) {
            throw new IllegalStateException("the context replicates no database, so nothing could be restored");
        }
        TestFolders folders = TestFolders.of(context);
        for (ManagedDatabase database : litestream.databases()) {
            refuse(database, folders);
        }
        List<Path> lost = new ArrayList<>();
        LostDisk disk = new LostDisk(context, lost);
        if (folders == null) {
            RunningTest.close(context);
        } else {
            folders.keep();
            Path then = Files.createTempDirectory("litestream-replica");
            litestream.pauseMaintenance(); // nothing is deleted from the replica while it is copied
            TestFolders.copyReplica(folders.replica(), then);
            RunningTest.close(context);
            FileSystemUtils.deleteRecursively(folders.replica());
            FileSystemUtils.copyRecursively(then, folders.replica());
            FileSystemUtils.deleteRecursively(then);
        }
        for (DatabaseConfig config : configs) { // fails if another process took a database over
            lost.addAll(LocalState.reset(config.path(), config.metaPath(), false));
        }
        for (DatabaseConfig config : configs) {
            for (String suffix : List.of("", "-wal", "-shm", "-journal")) {
                Path file = config.path().resolveSibling(config.path().getFileName() + suffix);
                Files.deleteIfExists(file);
                lost.add(file);
            }
        }
        return disk;
    }

    /** Refuses files that may be more than those of a test, and databases that this context does not replicate. */
    private static void refuse(ManagedDatabase database, @Nullable TestFolders folders) throws IOException {
        DatabaseState state = database.status().state();
        if (state != DatabaseState.REPLICATING) {
            throw new IllegalStateException("the database " + database.name() + " has the state " + state
                    + ", not REPLICATING: its changes may be nowhere else, or another process uses it. Nothing was"
                    + " deleted");
        }
        Path temporary = real(Path.of(System.getProperty("java.io.tmpdir")));
        for (Path path : List.of(database.config().path(), database.config().metaPath())) {
            if (!real(path).startsWith(temporary) && (folders == null || !folders.contains(real(path)))) {
                throw new IllegalStateException(path + " of the database " + database.name()
                        + " is outside of the folder of the test and of java.io.tmpdir (" + temporary
                        + "), so it may be more than a file of a test. Nothing was deleted. Use a @TempDir, or"
                        + " @AutoConfigureLitestream");
            }
        }
    }

    private static Path real(Path path) throws IOException {
        return Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
    }

    /**
     * Returns the files that were deleted: of each database, also those that did not exist, and what existed of its local
     * state.
     */
    public List<Path> files() {
        return List.copyOf(lost);
    }

    /**
     * Starts the application again, from the class with {@code @SpringBootApplication}, with the profiles and the
     * settings of the lost context. A web server gets a free port. The caller closes the context.
     *
     * @throws IllegalStateException if the lost context had no such class
     */
    public ConfigurableApplicationContext restart() {
        if (sources.isEmpty()) {
            throw new IllegalStateException("the context has no class with @SpringBootApplication or"
                    + " @SpringBootConfiguration; start the application yourself");
        }
        SpringApplicationBuilder builder = new SpringApplicationBuilder(sources.toArray(Class<?>[]::new))
                .profiles(profiles)
                .properties(Map.of("spring.main.banner-mode", "off"))
                .initializers(this::prepare);
        if (!isWeb) {
            builder.web(WebApplicationType.NONE);
        }
        return builder.run();
    }

    private void prepare(ConfigurableApplicationContext context) {
        var sources = context.getEnvironment().getPropertySources();
        List<PropertySource<?>> reversed = new ArrayList<>(settings);
        Collections.reverse(reversed);
        for (PropertySource<?> source : reversed) {
            if (!sources.contains(source.getName())) {
                sources.addFirst(source);
            }
        }
        sources.addFirst(new MapPropertySource("litestreamRestart", Map.of("server.port", "0")));
        if (folders != null) {
            folders.register(context);
        }
    }

    private static boolean hasWebServer(ConfigurableApplicationContext context) {
        ClassLoader loader = LostDisk.class.getClassLoader();
        return ClassUtils.isPresent(WEB_SERVER, loader)
                && ClassUtils.resolveClassName(WEB_SERVER, loader).isInstance(context);
    }
}
