package com.example.startup;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Starts, reads one row, and stops. Spring Boot logs how long the start took. */
@SpringBootApplication
public class StartupApplication {

    StartupApplication(JdbcClient jdbc) {
        jdbc.sql("create table if not exists item (id integer primary key, name text)")
                .update();
        jdbc.sql("insert or ignore into item values (1, 'one')").update();
    }

    public static void main(String... arguments) {
        SpringApplication.run(StartupApplication.class, arguments).close();
    }
}
