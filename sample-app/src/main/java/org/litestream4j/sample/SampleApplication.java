package org.litestream4j.sample;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Keeps notes in SQLite; the starter and {@code application.yaml} do the rest. */
@SpringBootApplication(proxyBeanMethods = false)
public class SampleApplication {

    /** Starts on port 8080. */
    public static void main(String[] args) throws IOException {
        Files.createDirectories(Path.of("data")); // for the case that Litestream, which does it, is off
        SpringApplication application = new SpringApplication(SampleApplication.class);
        application.addInitializers(new EmbeddedS3());
        application.run(args);
    }
}
