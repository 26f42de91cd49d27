package org.litestream4j.sample;

import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** The table of notes. */
@Repository
class Notes {

    private final JdbcClient jdbc;
    private final Clock clock = Clock.systemUTC();

    Notes(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    Note add(String text) {
        Instant createdAt = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        long id = jdbc.sql("insert into note (text, created_at) values (?, ?) returning id")
                .param(text)
                .param(createdAt.toString())
                .query(Long.class)
                .single();
        return new Note(id, text, createdAt);
    }

    List<Note> newest(int limit) {
        return jdbc.sql("select id, text, created_at from note order by id desc limit ?")
                .param(limit)
                .query((row, index) ->
                        new Note(row.getLong("id"), row.getString("text"), Instant.parse(row.getString("created_at"))))
                .list();
    }

    boolean delete(long id) {
        return jdbc.sql("delete from note where id = ?").param(id).update() == 1;
    }
}
