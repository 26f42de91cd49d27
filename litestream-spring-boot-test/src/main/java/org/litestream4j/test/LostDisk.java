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
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
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

    private LostDisk(ConfigurableApplicationContext context, List<Path> lost) {
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
     * Closes the context and deletes the files of all its replicated databases, and their local state. If it is the
     * context of the running test, the next test method gets a new one.
     *
     * @throws IllegalStateException if the context replicates no database
     * @throws IOException if a file cannot be deleted
     */
    public static LostDisk simulate(ConfigurableApplicationContext context) throws IOException {
        Litestream litestream = context.getBeanProvider(Litestream.class).getIfAvailable();
        List<DatabaseConfig> configs = litestream == null
                ? List.of()
                : litestream.databases().stream().map(ManagedDatabase::config).toList();
        if (litestream == null || configs.isEmpty()) {
            throw new IllegalStateException("the context replicates no database, so nothing could be restored");
        }
        List<Path> lost = new ArrayList<>();
        for (DatabaseConfig config : configs) {
            for (String suffix : List.of("", "-wal", "-shm", "-journal")) {
                lost.add(config.path().resolveSibling(config.path().getFileName() + suffix));
            }
            lost.add(config.metaPath());
        }
        LostDisk disk = new LostDisk(context, List.copyOf(lost));
        TestFolders folders = disk.folders;
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
        for (Path file : lost) {
            FileSystemUtils.deleteRecursively(file);
        }
        return disk;
    }

    /** Returns the files and folders that were deleted, or would have been if they had existed. */
    public List<Path> files() {
        return lost;
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
