package org.litestream4j.spring;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcClientAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;

/** Applications with the database {@code data/app.db} and the replica {@code replica} below a folder. */
final class Runners {

    private Runners() {}

    static Path database(Path folder) {
        return folder.resolve("data/app.db");
    }

    static String url(Path folder) {
        return "jdbc:sqlite:" + database(folder);
    }

    /** With a {@code DataSource}, where one is not defined by the test, and {@code JdbcClient}. */
    static ApplicationContextRunner jdbc(Path folder) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        LitestreamAutoConfiguration.class,
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        TransactionAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        JdbcClientAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=" + url(folder),
                        "litestream.replica.url=file://" + folder.resolve("replica"),
                        "litestream.sync-interval=100ms",
                        "litestream.levels=10000d"); // no merges but those that a test asks for
    }

    static ApplicationContextRunner flyway(Path folder) {
        return jdbc(folder)
                .withConfiguration(AutoConfigurations.of(FlywayAutoConfiguration.class))
                .withPropertyValues("spring.flyway.locations=classpath:db/notes");
    }

    static ApplicationContextRunner jpa(Path folder) {
        return jdbc(folder)
                .withConfiguration(AutoConfigurations.of(HibernateJpaAutoConfiguration.class))
                .withPropertyValues("spring.jpa.hibernate.ddl-auto=update");
    }

    /** What a lost disk leaves of the database: nothing. */
    static void loseDisk(Path folder) throws IOException {
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder.resolve("data"))) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
