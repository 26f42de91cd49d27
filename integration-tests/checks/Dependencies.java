import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Compares the tables of docs/dependencies.md with the published POMs and with the SBOM of each jar; "update" writes
 * them. The reasons, in the last column, are written by hand.
 */
public final class Dependencies {

    private static final List<String> MODULES = List.of(
            "litestream-core",
            "litestream-spring-boot-autoconfigure",
            "litestream-spring-boot-starter",
            "litestream-spring-boot-test",
            "litestream-cli");
    private static final Path PAGE = Path.of("docs/dependencies.md");
    private static final Pattern TABLE = Pattern.compile("(?s)(<!-- dependencies of (\\S+) -->\\n).*?(?=\\n\\n|\\z)");
    private static final String HEAD = "| dependency | version | size | needed | reason |\n| --- | --- | --- | --- | --- |";

    public static void main(String[] args) throws Exception {
        Path repository = Path.of(args[1]);
        String page = Files.readString(PAGE);
        Map<String, String> reasons = reasons(page);
        List<String> problems = new ArrayList<>();
        Map<String, String> tables = new LinkedHashMap<>();
        for (String module : MODULES) {
            tables.put(module, table(module, repository, reasons, problems));
        }
        Matcher table = TABLE.matcher(page);
        StringBuilder expected = new StringBuilder();
        while (table.find()) {
            table.appendReplacement(expected, Matcher.quoteReplacement(table.group(1) + tables.get(table.group(2))));
        }
        table.appendTail(expected);
        for (String module : MODULES) {
            if (!page.contains("<!-- dependencies of " + module + " -->")) {
                problems.add(PAGE + " has no table of " + module);
            }
        }
        if (args[0].equals("update")) {
            Files.writeString(PAGE, expected);
        } else if (!page.contentEquals(expected)) {
            problems.add(PAGE + " is out of date; run: java integration-tests/checks/Dependencies.java update "
                    + "~/.m2/repository");
        }
        problems.forEach(System.err::println);
        System.exit(problems.isEmpty() ? 0 : 1);
    }

    private static Map<String, String> reasons(String page) {
        Map<String, String> reasons = new LinkedHashMap<>();
        page.lines().filter(line -> line.startsWith("| `")).forEach(line -> {
            String[] cells = line.split("\\|");
            reasons.put(cells[1].strip(), cells[cells.length - 1].strip());
        });
        return reasons;
    }

    private static String table(String module, Path repository, Map<String, String> reasons, List<String> problems)
            throws Exception {
        String sbom = sbom(module, problems);
        StringBuilder table = new StringBuilder(HEAD);
        Element root = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Path.of(module, ".flattened-pom.xml").toFile())
                .getDocumentElement();
        for (Element dependency : children(child(root, "dependencies"))) {
            String group = text(dependency, "groupId");
            String scope = text(dependency, "scope");
            if (group.equals("org.litestream4j") || scope.equals("test") || scope.equals("provided")) {
                continue;
            }
            String artifact = text(dependency, "artifactId");
            String version = text(dependency, "version");
            String name = "`" + group + ":" + artifact + "`";
            String reason = reasons.getOrDefault(name, "");
            if (reason.isEmpty()) {
                problems.add(PAGE + ": no reason for " + name + " of " + module);
            }
            if (!sbom.contains("pkg:maven/" + group + "/" + artifact + "@" + version)) {
                problems.add("the SBOM of " + module + " lacks " + group + ":" + artifact + ":" + version);
            }
            table.append("\n| %s | %s | %s | %s | %s |"
                    .formatted(
                            name,
                            version,
                            size(repository, group, artifact, version),
                            text(dependency, "optional").equals("true") ? "optional" : "always",
                            reason));
        }
        return table.toString();
    }

    private static String sbom(String module, List<String> problems) throws IOException {
        Path file = Path.of(module, "target/classes/META-INF/sbom", module + ".cdx.json");
        if (!Files.exists(file)) {
            problems.add(module + " has no SBOM; build it with -Prelease");
            return "";
        }
        return Files.readString(file);
    }

    private static String size(Path repository, String group, String artifact, String version) throws IOException {
        Path jar = repository.resolve(group.replace('.', '/')).resolve(artifact).resolve(version)
                .resolve(artifact + "-" + version + ".jar");
        return Files.exists(jar) ? String.format(Locale.ROOT, "%,d KB", (Files.size(jar) + 1023) / 1024) : "?";
    }

    private static Element child(Element element, String name) {
        return children(element).stream().filter(child -> child.getTagName().equals(name)).findFirst().orElse(null);
    }

    private static List<Element> children(Element element) {
        if (element == null) {
            return List.of();
        }
        NodeList nodes = element.getChildNodes();
        List<Element> children = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            if (nodes.item(i) instanceof Element child) {
                children.add(child);
            }
        }
        return children;
    }

    private static String text(Element element, String name) {
        Element child = child(element, name);
        return child == null ? "" : child.getTextContent().strip();
    }
}
