package org.litestream4j.spring.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.litestream4j.Litestream;
import org.litestream4j.spring.app.NotesApplication.Notes;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.util.ClassUtils;

/** {@code litestream.enabled=false} makes it vanish. */
@SpringBootTest(
        webEnvironment = WebEnvironment.NONE,
        properties = {
            "litestream.enabled=false",
            "litestream.replica.url=s3://production/app",
            "spring.datasource.url=jdbc:sqlite:file:disabled-test?mode=memory&cache=shared",
            "spring.liquibase.enabled=false",
            "spring.flyway.locations=classpath:db/notes"
        })
@ExtendWith(OutputCaptureExtension.class)
class DisabledTest {

    @TempDir
    Path folder;

    /** The test of docs/testing.md that replicates nothing. */
    @Test
    void application_worksWithoutLitestream(@Autowired Notes notes, @Autowired ObjectProvider<Litestream> litestream) {
        notes.add("a note");
        assertThat(notes.count()).isEqualTo(1);
        assertThat(litestream.getIfAvailable()).isNull();
    }

    @Test
    void enabled_itIsEverywhere() throws Exception {
        assertThat(traces())
                .containsOnlyKeys("bean", "wrapper", "endpoint", "health", "info", "meter", "thread", "file");
    }

    @Test
    void disabled_itIsNowhere() throws Exception {
        assertThat(traces("litestream.enabled=false")).isEmpty();
    }

    @Test
    void disabled_wrongSettingsDoNotMatter(CapturedOutput output) throws Exception {
        assertThat(traces(
                        "litestream.enabled=false",
                        "litestream.replica.url=nonsense",
                        "litestream.replica.ulr=nonsense",
                        "litestream.sync-interval=nonsense",
                        "litestream.databases.other.pattern=nonsense",
                        "litestream.restore.directory="))
                .isEmpty();
        assertThat(output).doesNotContain("itestream4j.spring.LitestreamSetting", "not replicated");
    }

    @Test
    void disabled_litestreamOfTheApplication_isItsOwnAffair() throws Exception {
        assertThat(traces(new Class<?>[] {NotesApplication.class, WithItsOwn.class}, "litestream.enabled=false"))
                .containsOnlyKeys("thread");
    }

    private Map<String, List<String>> traces(String... settings) throws Exception {
        return traces(new Class<?>[] {NotesApplication.class}, settings);
    }

    /** What there is of it in a running application with everything, by kind. */
    private Map<String, List<String>> traces(Class<?>[] application, String... settings) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "--server.port=0",
                "--spring.main.banner-mode=off",
                "--spring.docker.compose.enabled=false",
                "--spring.liquibase.enabled=false",
                "--spring.flyway.locations=classpath:db/notes",
                "--spring.jpa.hibernate.ddl-auto=update",
                "--spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db"),
                "--litestream.replica.url=" + folder.resolve("replica").toUri(),
                "--management.endpoints.web.exposure.include=*",
                "--management.endpoint.health.show-details=always",
                "--management.info.litestream.enabled=true",
                "--jdbc.datasource-proxy.enabled=false")); // of a library that only other tests need
        for (String setting : settings) {
            arguments.add("--" + setting);
        }
        ThreadGroup group = new ThreadGroup("application"); // threads inherit it
        FutureTask<Map<String, List<String>>> running =
                new FutureTask<>(() -> traces(group, application, arguments.toArray(String[]::new)));
        new Thread(group, running).start();
        return running.get();
    }

    private Map<String, List<String>> traces(ThreadGroup group, Class<?>[] application, String[] arguments)
            throws Exception {
        Map<String, List<String>> traces = new TreeMap<>();
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(application).run(arguments)) {
            context.getBean(Notes.class).add("a note");
            assertThat(context.getBean(Notes.class).count()).isEqualTo(1);
            add(traces, "bean", beans(context));
            add(traces, "wrapper", wrapper(context));
            add(traces, "endpoint", lines(context, "", "\"litestream\""));
            add(traces, "health", lines(context, "/health", "\"litestream\""));
            add(traces, "info", lines(context, "/info", "\"litestream\""));
            add(traces, "meter", meters(context));
            add(traces, "thread", threads(group));
            add(traces, "file", files());
        }
        return traces;
    }

    private static void add(Map<String, List<String>> traces, String kind, List<String> found) {
        if (!found.isEmpty()) {
            traces.put(kind, found);
        }
    }

    private static List<String> beans(ConfigurableApplicationContext context) {
        return Stream.of(context.getBeanDefinitionNames())
                .filter(name -> {
                    Class<?> type = context.getType(name, false);
                    String packageName = type == null ? "" : ClassUtils.getPackageName(type);
                    return packageName.startsWith("org.litestream4j.spring")
                            && !packageName.equals("org.litestream4j.spring.app");
                })
                .toList();
    }

    private static List<String> wrapper(ConfigurableApplicationContext context) {
        DataSource dataSource = context.getBean(DataSource.class);
        return dataSource instanceof HikariDataSource pool && pool.getDataSource() == null
                ? List.of()
                : List.of(dataSource.toString());
    }

    private static List<String> lines(ConfigurableApplicationContext context, String path, String text)
            throws Exception {
        String address = "http://localhost:" + context.getEnvironment().getProperty("local.server.port") + "/actuator";
        String answer = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(address + path)).build(), BodyHandlers.ofString())
                .body();
        assertThat(answer).startsWith("{");
        return answer.contains(text) ? List.of(answer) : List.of();
    }

    private static List<String> meters(ConfigurableApplicationContext context) {
        return context.getBean(MeterRegistry.class).getMeters().stream()
                .map(meter -> meter.getId().getName())
                .filter(name -> name.contains("litestream"))
                .toList();
    }

    private static List<String> threads(ThreadGroup group) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getThreadGroup() == group)
                .map(Thread::getName)
                .filter(name -> name.contains("litestream"))
                .toList();
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.matches("app\\.db(-wal|-shm|-journal)?"))
                    .toList();
        }
    }

    /** Not annotated: the scan of the application would find it. */
    static class WithItsOwn {

        @Bean
        Litestream own() {
            return Litestream.builder().build();
        }
    }
}
