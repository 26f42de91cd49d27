package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.compaction.CompactionStatus;
import org.litestream4j.compaction.Validation;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.boot.health.contributor.Health;

class LitestreamHealthIndicatorTest {

    @ParameterizedTest
    @CsvSource({
        "REPLICATING, PT0S, UP",
        "REPLICATING, PT59.999S, UP",
        "REPLICATING, PT1M, DEGRADED",
        "REPLICATING, PT9M59S, DEGRADED",
        "REPLICATING, PT10M, DOWN",
        "WAITING, PT0S, UP",
        "PASSIVE, PT0S, UP",
        "CONFLICT, PT0S, DOWN",
        "NEEDS_RECOVERY, PT0S, DOWN",
        "STOPPED, PT0S, DOWN",
    })
    void status_followsStateAndLag(DatabaseState state, Duration lag, String expected) {
        Health health = health(status("app.db", state, lag, null));
        assertThat(health.getStatus().getCode()).isEqualTo(expected);
    }

    @Test
    void worstDatabase_decides() {
        DatabaseStatus up = status("a", DatabaseState.REPLICATING, Duration.ZERO, null);
        DatabaseStatus degraded = status("b", DatabaseState.REPLICATING, Duration.ofMinutes(2), null);
        DatabaseStatus down = status("c", DatabaseState.CONFLICT, Duration.ZERO, null);
        assertThat(health(up, degraded).getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(health(degraded, up).getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(health(down, degraded, up).getStatus().getCode()).isEqualTo("DOWN");
        assertThat(health(up, down, degraded).getStatus().getCode()).isEqualTo("DOWN");
        assertThat(health(new ObservedDatabase[0]).getStatus().getCode()).isEqualTo("UNKNOWN");
    }

    @Test
    void refusingReplica_isDown() {
        Health health = health(new ObservedDatabase(
                status("app.db", DatabaseState.REPLICATING, Duration.ZERO, "access denied"),
                CompactionStatus.NONE,
                false,
                true,
                List.of(),
                null,
                ObservedDrill.NONE));
        assertThat(health.getStatus().getCode()).isEqualTo("DOWN");
        assertThat(details(health)).containsEntry("refused", true);
    }

    @Test
    void details_tellPositionsAndTheLastError() {
        Health health =
                health(status("app.db", DatabaseState.REPLICATING, Duration.ofMillis(1500), "no network; wait"));
        assertThat(health.getDetails())
                .containsExactly(Map.entry(
                        "app.db",
                        Map.of(
                                "status", "UP",
                                "state", DatabaseState.REPLICATING,
                                "captured", "000000000000000a",
                                "replicated", "0000000000000009",
                                "lag", "PT1.5S",
                                "lastError", "no network; wait",
                                "lastErrorAt", "1970-01-01T00:00:00Z")));
    }

    @ParameterizedTest
    @CsvSource({
        "GAP, DEGRADED",
        "UNREACHABLE, DOWN",
        "DAMAGED, DOWN",
        "OVERLAP, UP",
        "CONTAINED, UP",
    })
    void validation_decidesByWhatItFound(Validation.Kind kind, String expected) {
        Health health = health(observed(false, CompactionStatus.NONE, List.of(result(false, problem(kind)))));
        assertThat(health.getStatus().getCode()).isEqualTo(expected);
        Object details = details(health).get("validation");
        boolean serious = !expected.equals("UP");
        assertThat(details)
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsEntry("at", "1970-01-01T00:00:00Z")
                .containsEntry("findings", serious ? 1 : 0);
        if (serious) {
            assertThat(details)
                    .asInstanceOf(InstanceOfAssertFactories.MAP)
                    .extractingByKey("problems", InstanceOfAssertFactories.LIST)
                    .containsExactly(
                            kind + " at level 1, 0000000000000003-0000000000000004.ltx: something; take a snapshot");
        }
    }

    @Test
    void quickValidation_doesNotHideWhatADeepOneFound() {
        Health health = health(observed(
                false, CompactionStatus.NONE, List.of(result(false), result(true, problem(Validation.Kind.DAMAGED)))));
        assertThat(health.getStatus().getCode()).isEqualTo("DOWN");
    }

    /** What a quick validation cannot know: that the snapshot it sees is the damaged one. */
    @ParameterizedTest
    @CsvSource({"9, 0, UP", "9, 9, DOWN", "3, 0, DOWN"})
    void snapshot_coversWhatIsDamagedBeforeIt_unlessItIsDamagedItself(
            long snapshot, int damagedSnapshot, String expected) {
        List<Validation.Problem> problems = new ArrayList<>();
        problems.add(problem(Validation.Kind.DAMAGED));
        if (damagedSnapshot > 0) {
            problems.add(new Validation.Problem(
                    Validation.Kind.DAMAGED, 9, new LtxFileName(new Txid(1), new Txid(damagedSnapshot)), "damaged"));
        }
        Health health = health(observed(
                false,
                CompactionStatus.NONE,
                List.of(
                        new Validation.Result(9, 900, new Txid(9), new Txid(snapshot), false, List.of()),
                        result(true, problems.toArray(Validation.Problem[]::new)))));
        assertThat(health.getStatus().getCode()).isEqualTo(expected);
        assertThat(details(health).get("validation"))
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsEntry("findings", problems.size());
    }

    @Test
    void manyProblems_areCountedButNotAllTold() {
        Validation.Problem[] problems = LongStream.range(1, 100)
                .mapToObj(txid -> new Validation.Problem(
                        Validation.Kind.GAP, 0, LtxFileName.of(new Txid(txid)), "gap; take a snapshot"))
                .toArray(Validation.Problem[]::new);
        Health health = health(observed(false, CompactionStatus.NONE, List.of(result(false, problems))));
        assertThat(details(health).get("validation"))
                .asInstanceOf(InstanceOfAssertFactories.MAP)
                .containsEntry("findings", 99)
                .extractingByKey("problems", InstanceOfAssertFactories.LIST)
                .hasSize(5);
    }

    @Test
    void fullDisk_needsAttention() {
        Health health = health(observed(true, CompactionStatus.NONE, List.of()));
        assertThat(health.getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(details(health)).containsEntry("diskFull", true);
    }

    @Test
    void refusedDeletes_needAttention() {
        CompactionStatus none = CompactionStatus.NONE;
        CompactionStatus refused = new CompactionStatus(
                none.newestSnapshot(), null, none.levels(), none.level0(), 0, 7, "no right to delete; grant it");
        Health health = health(observed(false, refused, List.of()));
        assertThat(health.getStatus().getCode()).isEqualTo("DEGRADED");
        assertThat(details(health))
                .containsEntry("refusedDeletes", 7L)
                .containsEntry("retentionProblem", "no right to delete; grant it");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> details(Health health) {
        return (Map<String, Object>) health.getDetails().get("app.db");
    }

    private static Validation.Problem problem(Validation.Kind kind) {
        return new Validation.Problem(kind, 1, new LtxFileName(new Txid(3), new Txid(4)), "something; take a snapshot");
    }

    private static Validation.Result result(boolean deep, Validation.Problem... problems) {
        return new Validation.Result(9, 900, new Txid(9), Txid.NONE, deep, List.of(problems));
    }

    private static ObservedDatabase observed(
            boolean diskFull, CompactionStatus compaction, List<Validation.Result> validations) {
        return new ObservedDatabase(
                status("app.db", DatabaseState.REPLICATING, Duration.ZERO, null),
                compaction,
                diskFull,
                false,
                validations,
                validations.isEmpty() ? null : Instant.EPOCH,
                ObservedDrill.NONE);
    }

    private static Health health(DatabaseStatus... databases) {
        return health(Arrays.stream(databases)
                .map(status -> new ObservedDatabase(
                        status, CompactionStatus.NONE, false, false, List.of(), null, ObservedDrill.NONE))
                .toArray(ObservedDatabase[]::new));
    }

    private static Health health(ObservedDatabase... databases) {
        return new LitestreamHealthIndicator(
                        () -> List.of(databases),
                        new LitestreamProperties.Health(Duration.ofMinutes(1), Duration.ofMinutes(10)))
                .health();
    }

    private static DatabaseStatus status(String name, DatabaseState state, Duration lag, String error) {
        return new DatabaseStatus(
                name,
                Path.of("/data/app.db"),
                "file:///backup",
                state,
                new Txid(10),
                new Txid(9),
                lag,
                error,
                error == null ? null : Instant.EPOCH);
    }
}
