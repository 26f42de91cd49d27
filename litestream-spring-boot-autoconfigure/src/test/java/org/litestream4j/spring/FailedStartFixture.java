package org.litestream4j.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

/** Starts an application that fails, and compares what the user reads. */
@ExtendWith(OutputCaptureExtension.class)
abstract class FailedStartFixture {

    @TempDir
    Path folder;

    String database() {
        return "spring.datasource.url=jdbc:sqlite:" + folder.resolve("app.db");
    }

    String replica() {
        return "litestream.replica.url=file://" + folder.resolve("replica");
    }

    void start(String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.banner-mode=off",
                "--spring.flyway.enabled=false",
                "--spring.liquibase.enabled=false",
                "--spring.data.jdbc.repositories.enabled=false",
                "--spring.main.log-startup-info=false"));
        for (String setting : settings) {
            arguments.add("--" + setting);
        }
        Throwable failure = catchThrowable(() -> new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .run(arguments.toArray(String[]::new))
                .close());
        assertThat(failure).as("start-up failure").isNotNull();
    }

    static void assertExplained(CapturedOutput output, String description, String action) {
        String explanation = output.getOut().substring(output.getOut().lastIndexOf("APPLICATION FAILED TO START"));
        assertThat(explanation).contains("Description:\n\n" + description).containsPattern("Action:\n\n");
        assertThat(explanation.substring(explanation.indexOf("Action:\n\n") + 9))
                .startsWith(action);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}
}
