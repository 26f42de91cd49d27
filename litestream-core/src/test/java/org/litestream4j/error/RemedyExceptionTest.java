package org.litestream4j.error;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.litestream4j.LitestreamException;

class RemedyExceptionTest {

    @Test
    void options_areNamedByTheFrontEnd() {
        RemedyException e = new LitestreamException(
                "app.db",
                "it is empty, and {odd} characters are kept",
                "allow it with {adoptReplica=true} or {metaPath}",
                null);
        assertThat(e)
                .hasMessage("app.db: it is empty, and {odd} characters are kept;"
                        + " allow it with adoptReplica=true or metaPath");
        OptionNames upper = (option, value) -> "$" + option + "[" + value + "]";
        assertThat(e.remedy(upper)).isEqualTo("allow it with $adoptReplica[true] or $metaPath[]");
        assertThat(e.message(upper))
                .isEqualTo("app.db: it is empty, and {odd} characters are kept;"
                        + " allow it with $adoptReplica[true] or $metaPath[]");
        assertThat(e.problem()).isEqualTo("it is empty, and {odd} characters are kept");
    }

    @Test
    void noRemedy_messageEndsWithTheProblem() {
        assertThat(new LitestreamException("app.db", "it is busy", "", null)).hasMessage("app.db: it is busy");
    }
}
