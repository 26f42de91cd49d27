package org.litestream4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SqlStatementsTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "select 1; select 2;      | 2 | ~~",
                "select 1; select 2       | 1 | ~ select 2~",
                "select ';'; -- x; y      | 1 | ~~",
                "select [a;b], `;`        | 0 | ~select [a;b], `;`~",
                "select 'it''s;';         | 1 | ~~",
                "/* ; */ select 1;        | 1 | ~~",
                "select 1 /* open;        | 0 | ~select 1 /* open;~",
                "select 'open;            | 0 | ~select 'open;~",
                ";;  ;                    | 0 | ~~",
                "-- only a comment        | 0 | ~~",
            })
    void statements_endAtSemicolonsOutsideOfQuotesAndComments(String text, int complete, String rest) {
        SqlStatements statements = SqlStatements.of(text);
        assertThat(statements.complete()).hasSize(complete);
        assertThat(statements.remainder()).isEqualTo(rest);
    }
}
