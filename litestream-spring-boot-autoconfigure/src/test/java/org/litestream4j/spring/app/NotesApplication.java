package org.litestream4j.spring.app;

import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.data.jdbc.core.dialect.JdbcArrayColumns;
import org.springframework.data.jdbc.core.dialect.JdbcDialect;
import org.springframework.data.relational.core.dialect.AnsiDialect;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** An application as its users write them, with tests as they write them. */
@SpringBootApplication
class NotesApplication {

    /** Spring Data has none for SQLite. */
    @Bean
    JdbcDialect dialect() {
        return new SqliteDialect();
    }

    private static final class SqliteDialect extends AnsiDialect implements JdbcDialect {
        @Override
        public JdbcArrayColumns getArraySupport() {
            return JdbcArrayColumns.Unsupported.INSTANCE;
        }
    }

    /** What the application does. */
    @Service
    static class Notes {
        private final JdbcClient jdbc;

        Notes(JdbcClient jdbc) {
            this.jdbc = jdbc;
        }

        @Transactional
        public void add(String text) {
            jdbc.sql("insert into note (text) values (?)").param(text).update();
        }

        public long count() {
            return jdbc.sql("select count(*) from note").query(Long.class).single();
        }
    }
}
