package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ByteArrayResource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Checks that links, settings, messages and code in the documentation match the sources. */
class DocumentationTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final List<String> MODULES =
            List.of("litestream-core", "litestream-spring-boot-autoconfigure", "litestream-cli");

    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern YAML = Pattern.compile("(?ms)^ *```ya?ml\\n(.*?)^ *```");
    private static final Pattern JAVA = Pattern.compile("(?ms)^```java\\n(.*?)^```");
    private static final Pattern LITERAL = Pattern.compile("\"((?:[^\"\\\\\\n]|\\\\.)*)\"");
    private static final Pattern CONCATENATION = Pattern.compile("\"\\s*\\+\\s*\"");

    @Test
    void links_leadToFilesAndHeadings() throws IOException {
        List<String> broken = new ArrayList<>();
        int seen = 0;
        for (Path page : pages()) {
            Matcher link = LINK.matcher(withoutFences(Files.readString(page)));
            while (link.find()) {
                String target = link.group(1);
                if (URI.create(target).getScheme() == null) {
                    seen++;
                    if (!exists(page, target)) {
                        broken.add(ROOT.relativize(page) + ": " + target);
                    }
                }
            }
        }
        assertThat(broken).isEmpty();
        assertThat(seen).isGreaterThan(50);
    }

    @Test
    void pages_canBeReachedFromTheReadme() throws IOException {
        Set<Path> reached = new HashSet<>();
        Deque<Path> next = new ArrayDeque<>(List.of(ROOT.resolve("README.md")));
        while (!next.isEmpty()) {
            Path page = next.pop();
            if (page.toString().endsWith(".md") && Files.exists(page) && reached.add(page)) {
                LINK.matcher(Files.readString(page))
                        .results()
                        .map(link -> link.group(1).replaceFirst("#.*", ""))
                        .filter(target -> !target.isEmpty() && !target.contains(":"))
                        .forEach(target -> next.push(page.resolveSibling(target).normalize()));
            }
        }
        assertThat(reached).containsAll(pages());
    }

    @Test
    void rightsInS3_areTheSameOnBothPages() throws IOException {
        JsonNode rights = policyToWrite("docs/replicas/s3.md");
        assertThat(rights).isEqualTo(policyToWrite("docs/security.md"));
        assertThat(rights.toString()).contains("s3:ListBucketMultipartUploads", "s3:DeleteObject");
    }

    private static JsonNode policyToWrite(String page) throws IOException {
        Matcher block =
                Pattern.compile("```json\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(ROOT.resolve(page)));
        while (block.find()) {
            if (block.group(1).contains("s3:PutObject")) {
                return JsonMapper.shared().readTree(block.group(1));
            }
        }
        throw new AssertionError("no policy in " + page);
    }

    /** The first column of the tables quotes messages; an ellipsis stands for the parts that vary. */
    @Test
    void textsOfTroubleshooting_areInTheSources() throws IOException {
        String literals = literals();
        List<String> unknown = new ArrayList<>();
        int seen = 0;
        for (String line : Files.readAllLines(ROOT.resolve("docs/troubleshooting.md"))) {
            if (!line.startsWith("| `")) {
                continue;
            }
            Matcher text = CODE.matcher(line.split("\\|", 3)[1]);
            while (text.find()) {
                for (String piece : text.group(1).split("…", -1)) {
                    seen++;
                    if (!literals.contains(piece.strip())) {
                        unknown.add(text.group(1));
                    }
                }
            }
        }
        assertThat(unknown).isEmpty();
        assertThat(seen).isGreaterThan(100);
    }

    @Test
    void settingsInExamples_areKnown() throws IOException {
        int seen = 0;
        for (Path page : pages()) {
            Matcher block = YAML.matcher(Files.readString(page));
            while (block.find()) {
                var source =
                        new ByteArrayResource(block.group(1).stripIndent().getBytes(StandardCharsets.UTF_8), page + "");
                for (PropertySource<?> document : new YamlPropertySourceLoader().load(page.toString(), source)) {
                    seen++;
                    assertThatCode(() -> UnknownSettings.refuse(ConfigurationPropertySources.from(document)))
                            .doesNotThrowAnyException();
                }
            }
        }
        assertThat(seen).isGreaterThan(15);
    }

    /** No Gradle runs in the build. */
    @Test
    void gradleBuild_namesModulesVersionsAndSettingsThatExist() throws IOException {
        Path project = ROOT.resolve("integration-tests/gradle-kotlin");
        String build = Files.readString(project.resolve("build.gradle.kts"));
        Matcher module = Pattern.compile("org\\.litestream4j:([a-z-]+)").matcher(build);
        List<String> modules = module.results().map(found -> found.group(1)).toList();
        assertThat(modules)
                .contains("litestream-bom", "litestream-spring-boot-starter", "litestream-spring-boot-test")
                .allSatisfy(name ->
                        assertThat(ROOT.resolve(name).resolve("pom.xml")).exists());
        Matcher boot =
                Pattern.compile("<spring-boot.version>(.*?)<").matcher(Files.readString(ROOT.resolve("pom.xml")));
        assertThat(boot.find()).isTrue();
        assertThat(build).contains("id(\"org.springframework.boot\") version \"" + boot.group(1) + "\"");
        var settings =
                new ByteArrayResource(Files.readAllBytes(project.resolve("src/main/resources/application.yaml")));
        for (PropertySource<?> source : new YamlPropertySourceLoader().load("application", settings)) {
            assertThatCode(() -> UnknownSettings.refuse(ConfigurationPropertySources.from(source)))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void javaOfTheReadme_compiles(@TempDir Path folder) throws IOException {
        Matcher block = JAVA.matcher(Files.readString(ROOT.resolve("README.md")));
        assertThat(block.find()).isTrue();
        Path source = folder.resolve("Example.java");
        Files.writeString(
                source,
                """
                import java.nio.file.Path;
                import javax.sql.DataSource;
                import org.litestream4j.*;
                import org.litestream4j.replica.ReplicaLocation;

                class Example {
                    interface Application {
                        void run(DataSource dataSource);
                    }

                    void example(DataSource sqlite, Application application) throws Exception {
                        %s
                    }
                }
                """
                        .formatted(block.group(1)));
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        int result = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        messages,
                        messages,
                        "-proc:none",
                        "-d",
                        folder.toString(),
                        "-cp",
                        classPath,
                        source.toString());
        assertThat(result).as(messages.toString(StandardCharsets.UTF_8)).isZero();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            return Stream.concat(
                            docs.filter(file -> file.toString().endsWith(".md")),
                            Stream.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")))
                    .toList();
        }
    }

    private static boolean exists(Path page, String target) throws IOException {
        int hash = target.indexOf('#');
        String path = hash < 0 ? target : target.substring(0, hash);
        Path file = path.isEmpty() ? page : page.resolveSibling(path);
        if (hash < 0 || !Files.isRegularFile(file)) {
            return Files.exists(file);
        }
        return anchors(Files.readString(file)).contains(target.substring(hash + 1));
    }

    /** Returns the anchors that GitHub generates for the headings of a page. */
    private static Set<String> anchors(String page) {
        Set<String> anchors = new HashSet<>();
        withoutFences(page).lines().filter(line -> line.startsWith("#")).forEach(line -> {
            String heading = line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT);
            String anchor = heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
            for (int number = 0; !anchors.add(number == 0 ? anchor : anchor + "-" + number); number++) {}
        });
        return anchors;
    }

    private static String withoutFences(String page) {
        return page.replaceAll("(?ms)^ *```.*?^ *```", "");
    }

    private static String literals() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String module : MODULES) {
            try (Stream<Path> sources = Files.walk(ROOT.resolve(module).resolve("src/main/java"))) {
                for (Path source :
                        (Iterable<Path>) sources.filter(file -> file.toString().endsWith(".java"))::iterator) {
                    Matcher literal = LITERAL.matcher(
                            CONCATENATION.matcher(Files.readString(source)).replaceAll(""));
                    while (literal.find()) {
                        all.append(literal.group(1).replace("\\\"", "\"")).append('\n');
                    }
                }
            }
        }
        return all.toString();
    }
}
