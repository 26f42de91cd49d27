package org.litestream4j.spring;

import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.jdbc.core.JdbcTemplate;

/** Starts applications whose paths the locale of this process lacks: {@code LocaleChild FOLDER}. */
final class LocaleChild {

    private static final String NAME = "\u00fc\u6f22";

    private LocaleChild() {}

    public static void main(String[] args) {
        String database = "spring.datasource.url=jdbc:sqlite:" + args[0];
        String replica = "litestream.replica.url=file://" + args[0];
        start("url", database + "/" + NAME + ".db", replica + "/replica-1");
        start("variable", "spring.datasource.url=" + System.getenv("DATABASE_URL"), replica + "/replica-3");
        start("path", "litestream.databases.one.path=" + args[0] + "/" + NAME + ".db", replica + "/replica-4");
        start("meta-path", database + "/m.db", "litestream.meta-path=" + args[0] + "/" + NAME, replica + "/replica-5");
        start("replica", database + "/r.db", replica + "/" + NAME);
        start("replica-variable", database + "/v.db", "litestream.replica.url=" + System.getenv("REPLICA_URL"));
    }

    private static void start(String label, String... settings) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.banner-mode=off",
                "--spring.docker.compose.enabled=false",
                "--spring.flyway.enabled=false",
                "--spring.liquibase.enabled=false",
                "--spring.data.jdbc.repositories.enabled=false"));
        for (String setting : settings) {
            arguments.add("--" + setting);
        }
        System.out.println("BEGIN " + label);
        try (var context = new SpringApplicationBuilder(FailedStartFixture.Application.class)
                .web(WebApplicationType.NONE)
                .run(arguments.toArray(String[]::new))) {
            JdbcTemplate jdbc = context.getBean(JdbcTemplate.class);
            jdbc.execute("create table if not exists t(x)");
            jdbc.update("insert into t values (1)");
            System.out.println("STARTED rows " + jdbc.queryForObject("select count(*) from t", Long.class));
        } catch (RuntimeException e) {
            System.out.println("FAILED");
        }
        System.out.println("END " + label);
    }
}
