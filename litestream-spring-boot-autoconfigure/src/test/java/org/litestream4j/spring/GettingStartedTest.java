package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checks the snippets for Gradle and Kotlin in getting-started.md, without Gradle and without a Kotlin compiler. */
class GettingStartedTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final Pattern COORDINATES =
            Pattern.compile("implementation[( ][\"'](org\\.litestream4j):([a-z-]+):([^\"']+)[\"']\\)?");

    private final String page = read(ROOT.resolve("docs/getting-started.md"));

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private List<String> blocks(String language) {
        return Pattern.compile("(?ms)^```" + language + "\\n(.*?)^```")
                .matcher(page)
                .results()
                .map(block -> block.group(1))
                .toList();
    }

    @Test
    void gradle_namesTheArtifactAndWhereItIsInstalled() {
        String version = first("<revision>([^<]+)</revision>", read(ROOT.resolve("pom.xml")));
        List<String> scripts = Stream.concat(
                        blocks("kotlin").stream().filter(block -> block.contains("repositories")),
                        blocks("groovy").stream())
                .toList();
        assertThat(scripts).hasSize(2).allSatisfy(script -> {
            Matcher coordinates = COORDINATES.matcher(script);
            assertThat(coordinates.find()).isTrue();
            String artifact = coordinates.group(2);
            assertThat(read(ROOT.resolve(artifact).resolve("pom.xml")))
                    .contains("<artifactId>" + artifact + "</artifactId>");
            assertThat(coordinates.group(3)).isEqualTo(version);
            assertThat(script).contains("mavenLocal()", "mavenCentral()");
            assertThat(script.chars().filter(c -> c == '{').count())
                    .isEqualTo(script.chars().filter(c -> c == '}').count());
        });
        assertThat(blocks("xml").get(0))
                .contains(
                        "<version>" + version + "</version>",
                        "<artifactId>litestream-spring-boot-starter</artifactId>");
    }

    /** What a new user needs stands before it is used. */
    @Test
    void firstHour_namesWhatItNeeds() {
        assertThat(page)
                .contains("spring-boot-starter-flyway", "hibernate-community-dialects", "litestream-cli.jar")
                .contains("`docker stop -t`", "`terminationGracePeriodSeconds`");
        assertThat(page.indexOf("management.endpoints.web.exposure.include: health,litestream"))
                .isPositive()
                .isLessThan(page.indexOf("curl localhost:8080/actuator/litestream"));
        String restore = read(ROOT.resolve("docs/restore.md"));
        assertThat(restore.indexOf("litestream-cli -am -DskipTests package"))
                .isPositive()
                .isLessThan(restore.indexOf("java -jar litestream-cli.jar"));
    }

    /** A time shortly after the first start is before the migrations. */
    @Test
    void demo_restoresInPlaceByTxidOnly() {
        List<String> examples = Pattern.compile("(?ms)^```sh\\n(.*?)^```")
                .matcher(read(ROOT.resolve("docs/sample-app.md")))
                .results()
                .map(block -> block.group(1))
                .filter(block -> block.contains("inPlace"))
                .toList();
        assertThat(examples)
                .isNotEmpty()
                .allSatisfy(example -> assertThat(example).contains("txid").doesNotContain("timestamp"));
    }

    private static String first(String pattern, String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }

    /** Translated word by word into Java: the types and methods that it uses are there. */
    @Test
    void kotlin_usesTypesAndMethodsThatExist(@TempDir Path folder) throws IOException {
        List<String> services = blocks("kotlin").stream()
                .filter(block -> block.contains("class "))
                .toList();
        assertThat(services).hasSize(1);
        Path source = folder.resolve("Orders.java");
        Files.writeString(
                source,
                "import java.time.Duration;\nimport org.litestream4j.spring.LitestreamOperations;\n"
                        + "import org.springframework.jdbc.core.simple.JdbcClient;\n"
                        + "import org.springframework.stereotype.Service;\n" + inJava(services.get(0)));
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
        assertThat(result)
                .as(Files.readString(source) + messages.toString(StandardCharsets.UTF_8))
                .isZero();
    }

    private static String inJava(String kotlin) {
        String fields = Pattern.compile("(?s)class (\\w+)\\((.*?)\\) \\{")
                .matcher(kotlin)
                .replaceFirst(match -> "class " + match.group(1) + " {\n" + declarations(match, ";\n") + ";");
        String methods = Pattern.compile("fun (\\w+)\\((.*?)\\) \\{")
                .matcher(fields)
                .replaceAll(match -> "void " + match.group(1) + "(" + declarations(match, ", ") + ") {");
        return methods.replaceAll("(?m)^( {8}.*\\))$", "$1;");
    }

    private static String declarations(MatchResult match, String separator) {
        return Stream.of(match.group(2).split(", "))
                .map(parameter -> parameter.replaceFirst("(?:private val )?(\\w+): (\\w+)", "$2 $1"))
                .collect(Collectors.joining(separator));
    }
}
