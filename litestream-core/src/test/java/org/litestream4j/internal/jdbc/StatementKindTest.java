package org.litestream4j.internal.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatementKindTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            insert into t values (1)                                   | WRITE
            Insert or ignore into t values (1)                         | WRITE
            update t set x = 1                                         | WRITE
            DELETE FROM t                                              | WRITE
            replace into t values (1)                                  | WRITE
            create table t(x)                                          | WRITE
            vacuum                                                     | WRITE
            with n(x) as (select 1) insert into t select x from n      | WRITE
            with n(x) as (select 1) select x from n                    | OTHER
            with n(x) as (select 1) select replace(x, 1, 2) from n     | OTHER
            with n(x) as (select 1) delete  from t where x in n        | WRITE
            with n(x) as (select 1) replace into t select x from n     | WRITE
            with n(x) as (select 1) update or ignore t set x = 1       | WRITE
            ; insert into t values (1)                                 | WRITE
            /* named */ insert into t values (1)                       | WRITE
            /* one */ /* two */ select 1                               | OTHER
            select * from t where x = 'insert'                         | OTHER
            pragma user_version = 3                                    | OTHER
            values (1)                                                 | OTHER
            begin                                                      | BEGIN
            BEGIN DEFERRED TRANSACTION                                 | BEGIN
            begin immediate                                            | BEGIN_WRITING
            BEGIN EXCLUSIVE TRANSACTION                                | BEGIN_WRITING
            commit                                                     | END
            end transaction;                                           | END
            rollback                                                   | END
            rollback to here                                           | OTHER
            ROLLBACK TRANSACTION TO SAVEPOINT here                     | OTHER
            savepoint here                                             | BEGIN
            release here                                               | OTHER
            insertion                                                  | OTHER
            ''                                                         | OTHER
            /* never ends                                              | OTHER
            """)
    void of_looksAtTheFirstWords(String sql, StatementKind kind) {
        assertThat(StatementKind.of(sql)).isEqualTo(kind);
    }

    @Test
    void of_passesOverLinesOfComments() {
        assertThat(StatementKind.of("-- insert\n\t-- of a row\r\n  update t set x = 1"))
                .isEqualTo(StatementKind.WRITE);
        assertThat(StatementKind.of("-- insert")).isEqualTo(StatementKind.OTHER);
    }

    @Test
    void of_takesNoLongForMuchText() {
        String sql = " \n--\n/**/".repeat(200_000) + "begin " + " ".repeat(1_000_000) + "immediate";
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(30), () -> assertThat(StatementKind.of(sql)).isEqualTo(StatementKind.BEGIN_WRITING));
    }
}
