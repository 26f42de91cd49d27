package org.litestream4j.internal.files;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SiblingNamesTest {

    @Test
    void nameThatFits_isUsedWhole() {
        assertThat(SiblingNames.of(".", Path.of("/data/app.db"), 50)).isEqualTo(".app.db");
        String name = "a".repeat(204);
        assertThat(SiblingNames.of(".", Path.of("/data/" + name), 50)).isEqualTo("." + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "\u0436", "\u6f22", "\ud83d\ude00"})
    void longName_isShortenedBetweenCharacters_andStaysItsOwn(String letter) {
        int count = 240 / letter.getBytes(UTF_8).length;
        String one = SiblingNames.of(".", Path.of("/data/" + letter.repeat(count) + ".db"), 50);
        String other = SiblingNames.of(".", Path.of("/data/" + letter.repeat(count) + ".dc"), 50);
        assertThat(one).isNotEqualTo(other).startsWith("." + letter.repeat(5));
        assertThat(one.getBytes(UTF_8)).hasSizeBetween(195, 205);
        assertThat(new String(one.getBytes(UTF_8), UTF_8)).isEqualTo(one);
    }
}
