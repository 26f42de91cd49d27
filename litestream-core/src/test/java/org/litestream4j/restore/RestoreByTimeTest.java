package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.Txid;
import org.litestream4j.restore.RestoreException.Reason;

/** Which state a moment stands for. */
class RestoreByTimeTest extends RestoreFixture {

    /** A store's clock behind the writer's, or coarse times: the listed times are too early. */
    @ParameterizedTest
    @ValueSource(longs = {1, 900, 5_000, 60_000})
    void restore_byTimeWithListedTimesTooEarly_neverIncludesLaterCommits(long millisEarly) throws IOException {
        int states = 9;
        for (int i = 0; i < states; i++) {
            model.commit(5 + i, 3);
        }
        model.snapshot(4);
        model.merge(0, 1, 2, 6);
        try (Stream<Path> all = Files.walk(temp.resolve("replica"))) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Files.setLastModifiedTime(
                        file,
                        FileTime.from(
                                Files.getLastModifiedTime(file).toInstant().minusMillis(millisEarly)));
            }
        }
        for (long txid = 2; txid <= states; txid++) {
            for (Instant moment : List.of(
                    ModelReplica.timestamp(txid), ModelReplica.timestamp(txid).plusMillis(500))) {
                RestoreResult result = restore(RestoreOptions.builder()
                        .force(true)
                        .target(RestoreTarget.timestamp(moment))
                        .build());
                assertThat(result.timestamp()).as("%s", moment).isBefore(moment);
                long expected = moment.equals(ModelReplica.timestamp(txid)) ? txid - 1 : txid;
                assertThat(result.txid()).isEqualTo(new Txid(expected));
                assertThat(target).hasBinaryContent(model.image(expected));
            }
        }
        assertThatThrownBy(() -> restore(RestoreOptions.builder()
                        .force(true)
                        .target(RestoreTarget.timestamp(ModelReplica.timestamp(1)))
                        .build()))
                .isInstanceOfSatisfying(
                        RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TIME_NOT_AVAILABLE));
    }

    @Test
    void restore_futureMoment_isRefusedWithTheRange() throws IOException {
        model.commit(4, 0);
        Clock clock = Clock.fixed(ModelReplica.timestamp(5), ZoneOffset.UTC);
        assertFails(
                () -> restore(RestoreOptions.builder()
                        .clock(clock)
                        .target(RestoreTarget.timestamp(ModelReplica.timestamp(6)))
                        .build()),
                Reason.TIME_NOT_AVAILABLE,
                "in the future",
                "TXID 0000000000000001");
        restore(RestoreOptions.builder()
                .clock(clock)
                .target(RestoreTarget.timestamp(ModelReplica.timestamp(5)))
                .build());
        assertThat(target).hasBinaryContent(model.latest());
    }
}
