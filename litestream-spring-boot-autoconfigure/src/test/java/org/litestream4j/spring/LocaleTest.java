package org.litestream4j.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Applications in the POSIX locale, as in many containers, whose configuration has letters beyond ASCII. */
class LocaleTest {

    @TempDir
    Path folder;

    @Test
    void pathsThatThePosixLocaleLacks_failTheStartWithTheRemedy() throws Exception {
        Path out = folder.resolve("out.txt");
        ProcessBuilder builder = new ProcessBuilder(
                "sh", // this process may not be able to encode the letters, either
                "-c",
                "name=$(printf '\\303\\274'); DATABASE_URL=\"jdbc:sqlite:$0/$name.db\" REPLICA_URL=\"file://$0/$name\""
                        + " LC_ALL=C exec \"$@\"",
                folder.toString(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                LocaleChild.class.getName(),
                folder.toString());
        Process process =
                builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        String output = Files.readString(out, UTF_8);
        assertThat(process.exitValue()).as(output).isZero();
        for (String label : new String[] {"url", "variable", "path", "meta-path", "replica-variable"}) {
            assertThat(part(output, label))
                    .as(label)
                    .contains("APPLICATION FAILED TO START", "LC_ALL=C.UTF-8")
                    .doesNotContain("STARTED", "\tat ");
        }
        assertThat(part(output, "replica")).contains("STARTED rows 1");
        assertThat(folder.resolve("%C3%BC%E6%BC%A2/ltx")).isDirectory(); // as the official program names it
    }

    private static String part(String output, String label) {
        var matcher = Pattern.compile("BEGIN " + label + "\\n(.*)END " + label + "\\n", Pattern.DOTALL)
                .matcher(output);
        assertThat(matcher.find()).as(output).isTrue();
        return matcher.group(1);
    }
}
