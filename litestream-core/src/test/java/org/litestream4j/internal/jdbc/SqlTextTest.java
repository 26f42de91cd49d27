package org.litestream4j.internal.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SqlTextTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "select 1",
                "/* x */ SELECT ';' ; ",
                "with n(x) as (select 1) select x from n",
                "values (1)",
                "explain delete from t",
                "begin",
                "rollback to s",
                "pragma user_version",
                "pragma main.page_size;",
                "",
                "-- insert",
            })
    void of_readsOnly(String sql) {
        assertThat(SqlText.of(sql).readsOnly()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "insert into t values (1)",
                "with n(x) as (select 1) delete from t",
                "select 1; delete from t",
                "begin;insert into t values (1)",
                "select ';'; with n(x) as (select 1) insert into t select 1",
                "pragma user_version = 1",
                "pragma user_version(1)",
                "pragma incremental_vacuum",
                "pragma main.optimize",
                "/* x */ attach 'x' as y",
                "savepoint s; drop table t",
            })
    void of_mayWrite(String sql) {
        assertThat(SqlText.of(sql).readsOnly()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            attach 'x' as y                                          | true  | false
            ;; Attach database ? as b                                | true  | false
            insert into t values ('; attach');detach b               | false | true
            attach 'a;b' as "c;d" ; /* ; */ insert into x values (1);detach e | true | true
            select 'attach'                                          | false | false
            create trigger a after insert on t begin delete from t; end | false | false
            """)
    void of_seesAttachedDatabases(String sql, boolean attaches, boolean detaches) {
        SqlText text = SqlText.of(sql);
        assertThat(text.attaches()).isEqualTo(attaches);
        assertThat(text.detaches()).isEqualTo(detaches);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            pragma wal_checkpoint(truncate)            | pragma wal_checkpoint(PASSIVE)
            PRAGMA main.wal_checkpoint = FULL;         | PRAGMA main.wal_checkpoint = PASSIVE;
            pragma "wal_checkpoint"('Restart')         | pragma "wal_checkpoint"(PASSIVE)
            pragma/**/[a b] . `wal_checkpoint`("FULL") | pragma/**/[a b] . `wal_checkpoint`(PASSIVE)
            select 1;pragma wal_checkpoint(full);pragma wal_checkpoint(restart) | select 1;pragma wal_checkpoint(PASSIVE);pragma wal_checkpoint(PASSIVE)
            pragma wal_checkpoint                      | pragma wal_checkpoint
            pragma wal_checkpoint;                     | pragma wal_checkpoint;
            pragma wal_checkpoint(passive)             | pragma wal_checkpoint(passive)
            pragma wal_checkpoint(noop)                | pragma wal_checkpoint(noop)
            explain pragma wal_checkpoint(full)        | explain pragma wal_checkpoint(full)
            insert into t values ('; pragma wal_checkpoint(full)') | insert into t values ('; pragma wal_checkpoint(full)')
            select 1 -- ; pragma wal_checkpoint(full)  | select 1 -- ; pragma wal_checkpoint(full)
            pragma wal_checkpoint(                     | pragma wal_checkpoint(
            pragma                                     | pragma
            pragma a.                                  | pragma a.
            """)
    void withPassiveCheckpoints_waitsForNobody(String sql, String changed) {
        assertThat(SqlText.of(sql).withPassiveCheckpoints(schema -> true)).isEqualTo(changed);
    }

    @Test
    void withPassiveCheckpoints_leavesOtherDatabasesAlone() {
        SqlText text = SqlText.of("pragma Main.wal_checkpoint(full); pragma o.wal_checkpoint(full)");
        assertThat(text.withPassiveCheckpoints("main"::equals))
                .isEqualTo("pragma Main.wal_checkpoint(PASSIVE); pragma o.wal_checkpoint(full)");
    }

    @Test
    void of_knowsTheCommandsOfTheDriver() {
        assertThat(SqlText.of("restore from x.db").unreported()).isTrue();
        assertThat(SqlText.of("RESTORE main from 'a b.db'").unreported()).isTrue();
        assertThat(SqlText.of("restore nothing").unreported()).isFalse();
        assertThat(SqlText.of(" /* x */ vacuum main").unreported()).isTrue();
        assertThat(SqlText.of("INSERT INTO t VALUES (1); VACUUM").unreported()).isTrue();
        assertThat(SqlText.of("PRAGMA auto_vacuum=FULL; VACUUM").unreported()).isTrue();
        assertThat(SqlText.of("INSERT INTO t VALUES ('vacuum')").unreported()).isFalse();
        assertThat(SqlText.of("PRAGMA incremental_vacuum").unreported()).isFalse();
        assertThat(SqlText.of("backup to 'a b.db'").writtenFile()).hasToString("a b.db");
        assertThat(SqlText.of("begin").writtenFile()).isNull();
    }

    @Test
    void of_takesNoLongForMuchText() {
        String sql = "begin;" + "insert into t values ('x;y'); -- z\n".repeat(100_000) + "/* never ends";
        Assertions.assertTimeoutPreemptively(
                Duration.ofSeconds(30),
                () -> assertThat(SqlText.of(sql).readsOnly()).isFalse());
    }
}
