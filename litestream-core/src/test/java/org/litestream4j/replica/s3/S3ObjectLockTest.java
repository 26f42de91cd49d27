package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.list;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;
import static org.litestream4j.replica.s3.S3TestClients.read;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.LockingS3Server.Defect;
import org.litestream4j.replica.s3.LockingS3Server.Version;
import org.litestream4j.testing.ManualClock;

/** Files are locked, and deleted once their locks have expired, with a server that refuses to delete locked versions. */
class S3ObjectLockTest {

    private static final String LOCK = "&objectLockMode=compliance&objectLockRetain=30d";

    private final ManualClock clock = new ManualClock();
    private LockingS3Server server;
    private ReplicaClient client;

    @BeforeEach
    void open() throws Exception {
        server = new LockingS3Server(clock);
        client = client(LOCK);
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        server.close();
    }

    private ReplicaClient client(String parameters) {
        return S3TestClients.open(server.location("app", parameters), RequestListener.NONE, clock);
    }

    private Version onlyVersion(String key) {
        assertThat(server.all()).containsKey(key);
        assertThat(server.all().get(key)).hasSizeBetween(1, 2); // a probe may have written it again
        return server.all().get(key).get(0);
    }

    @Test
    void uploads_areLocked() throws Exception {
        client.prepare();
        put(client, 0, name(3), bytes(100, 1));
        put(client, 9, name(1), bytes(6 << 20, 2)); // in parts
        Instant until = clock.instant().plus(Duration.ofDays(30));
        assertThat(onlyVersion("app/0000/" + name(3)).until()).isEqualTo(until);
        assertThat(onlyVersion("app/0000/" + name(3)).mode()).isEqualTo("COMPLIANCE");
        assertThat(onlyVersion("app/0009/" + name(1)).until()).isEqualTo(until);
        assertThat(read(client, 9, name(1))).isEqualTo(bytes(6 << 20, 2));
        assertThat(client.lockedFor()).isEqualTo(Duration.ofDays(30));
    }

    @Test
    void lockedFiles_stayAndAreNoError_untilTheyExpire() throws Exception {
        put(client, 1, name(3), bytes(100, 1));
        clock.advance(Duration.ofDays(29));
        put(client, 1, name(4), bytes(100, 1));
        assertThatThrownBy(() -> client.delete(1, List.of(name(3), name(4))))
                .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> {
                    assertThat(e.lockedUntil()).isEqualTo(clock.instant().plus(Duration.ofDays(1)));
                    assertThat(e.remaining()).containsExactly(name(3), name(4));
                    assertThat(e.isRefusal()).isFalse();
                });
        assertThat(list(client, 1)).containsExactly(name(3), name(4));
        clock.advance(Duration.ofDays(2));
        assertThatThrownBy(() -> client.delete(1, List.of(name(3), name(4))))
                .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> assertThat(e.remaining())
                        .containsExactly(name(4)));
        assertThat(list(client, 1)).containsExactly(name(4));
        assertThat(server.all()).as("no hidden version remains").doesNotContainKey("app/0001/" + name(3));
    }

    /** The lock in the store may be longer than the setting: it was changed, or the bucket has a default. */
    @Test
    void longerLockInTheStore_isNoErrorEither() throws Exception {
        put(client, 1, name(3), bytes(100, 1));
        try (ReplicaClient shorter = client("&objectLockMode=compliance&objectLockRetain=1h")) {
            clock.advance(Duration.ofDays(1));
            assertThatThrownBy(() -> shorter.delete(1, List.of(name(3))))
                    .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> assertThat(e.lockedUntil())
                            .isEqualTo(clock.instant().plus(Duration.ofDays(29))));
            assertThat(server.refusals).isEqualTo(1);
        }
    }

    @Test
    void missingRight_isAnError() throws Exception {
        put(client, 1, name(3), bytes(100, 1));
        clock.advance(Duration.ofDays(31));
        server.denied = true;
        assertThatThrownBy(() -> client.delete(1, List.of(name(3))))
                .isInstanceOfSatisfying(ReplicaDeleteException.class, e -> {
                    assertThat(e.lockedUntil()).isNull();
                    assertThat(e.isRefusal()).isTrue();
                });
    }

    @Test
    void hiddenFiles_areDeletedWithTheirMarkers() throws Exception {
        put(client, 1, name(3), bytes(100, 1));
        try (ReplicaClient plain = client("")) {
            plain.delete(1, List.of(name(3))); // only hides it
        }
        assertThat(list(client, 1)).isEmpty();
        clock.advance(Duration.ofDays(31));
        client.delete(1, List.of(name(3)));
        assertThat(server.all()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"NOT_CONFIGURED, 400", "IGNORES_HEADERS, without a lock", "DELETES_LOCKED, deletes a locked object"})
    void storeThatDoesNotLock_isRefused(Defect defect, String how) {
        server.defect = defect;
        assertThatThrownBy(() -> client.prepare())
                .isInstanceOf(ReplicaAccessException.class)
                .hasMessageContaining("does not honour object-lock")
                .hasMessageContaining(how)
                .hasMessageContaining("create a bucket with Object Lock");
    }

    @Test
    void check_leavesFewObjects() throws Exception {
        for (int start = 0; start < 10; start++) {
            client.prepare();
            clock.advance(Duration.ofHours(1));
        }
        assertThat(server.all().get("app/object-lock-check")).hasSizeLessThanOrEqualTo(2);
    }

    @Test
    void marks_areNotLocked() throws Exception {
        MarkStore marks = client.marks().orElseThrow();
        Mark mark = new Mark("m", name(1).min(), clock.instant(), clock.instant(), null);
        assertThat(marks.create("m", mark.encode())).isTrue();
        assertThat(marks.create("m", mark.encode())).isFalse();
        assertThat(marks.list()).extracting(MarkStore.Stored::name).containsExactly("m");
        assertThat(marks.remove("m")).isTrue();
        assertThat(marks.list()).isEmpty();
        assertThat(marks.create("m", mark.encode())).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "&objectLockMode=compliance, object-lock-retain is missing",
        "&objectLockRetain=1d, object-lock-mode is missing",
        "&objectLockMode=legal&objectLockRetain=1d, 'compliance, governance'",
        "&objectLockMode=governance&objectLockRetain=soon, 30d",
        "&objectLockMode=governance&objectLockRetain=0s, 1s to"
    })
    void badSettings_nameTheSetting(String parameters, String text) throws IOException {
        assertThatThrownBy(() -> client(parameters).close())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(text);
    }
}
