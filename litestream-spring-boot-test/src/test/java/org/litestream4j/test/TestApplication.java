package org.litestream4j.test;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** The application of the tests. */
@SpringBootApplication(proxyBeanMethods = false)
class TestApplication {

    /** Keeps notes. */
    @Service
    static class Notes {
        private final JdbcClient jdbc;

        Notes(JdbcClient jdbc) {
            this.jdbc = jdbc;
            jdbc.sql("create table if not exists note (text text, stars integer)")
                    .update();
        }

        void add(String text, Integer stars) {
            jdbc.sql("insert into note values (?, ?)").param(text).param(stars).update();
        }

        long count() {
            return jdbc.sql("select count(*) from note").query(Long.class).single();
        }
    }
}
