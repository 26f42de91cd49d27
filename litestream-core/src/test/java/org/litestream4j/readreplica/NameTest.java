package org.litestream4j.readreplica;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NameTest {

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/backups/app, app",
        "s3://bucket/backups/app/?endpoint=http://host/x, app",
        "file:///var/backups/app.db#1, app.db",
        "/var/backups/app, app",
        "s3://bucket, replica",
        "s3://bucket/a b@c, a_b_c",
    })
    void name_isTheLastPartOfThePath(String url, String name) {
        assertThat(ReadReplicaName.of(null, url)).isEqualTo(new ReadReplicaName(name, false));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nats://user:canary@host",
                "nats://user:canary@host/",
                "nats://user:canary@host?x=1",
                "nats://user:canary@host/bucket?password=canary#canary",
            })
    void name_holdsNoPassword(String url) {
        assertThat(ReadReplicaName.of(null, url).text()).doesNotContain("canary");
    }
}
