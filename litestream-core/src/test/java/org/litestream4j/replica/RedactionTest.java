package org.litestream4j.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Secrets that were given for another setting: swapped variables, or a file's content instead of its path. */
class RedactionTest {

    private static final String NATS_SEED = "SUACANARYQ5MRBQ6PRNQJEKDYUCCDUTYVPQFWZQ7Q5PXUPYBJ5E7N3CANA";
    private static final String JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5In0.eyJqdGkiOiJDQU5BUlkifQ.c2lnbmF0dXJl";
    private static final String AWS_KEY = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLECANAR";

    @ParameterizedTest
    @ValueSource(strings = {NATS_SEED, AWS_KEY, "AKIACANARY9F3EXAMPLE", "a1b2c3d4e5f60718293a4b5c6d7e8f90", JWT})
    void keyAsTheValueOfAnotherSetting_isHidden(String secret) {
        assertThat(Redaction.value(secret)).isEqualTo("…");
        assertThat(Redaction.file(secret)).isEqualTo("…");
        assertThat(Redaction.url(secret)).isEqualTo("…");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hunter2", NATS_SEED, AWS_KEY})
    void wordAsAReplicaUrl_isHidden(String secret) {
        assertThatThrownBy(() -> ReplicaLocation.of(secret))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .startsWith("replica URL without a scheme")
                .doesNotContain(secret);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"/etc/app/backup.creds", "backup.creds", "../keys/a.pem", "C:/keys/a.pem", "${REPLICA_URL}"})
    void path_isShown(String path) {
        assertThat(Redaction.file(path)).isEqualTo(path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"eu-central-1", "STANDARD_IA", "my-bucket.of-things-2026", "transactions", "true", "64MB"})
    void usualValue_isShown(String value) {
        assertThat(Redaction.value(value)).isEqualTo(value);
    }
}
