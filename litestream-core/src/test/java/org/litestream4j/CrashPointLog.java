package org.litestream4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.litestream4j.ltx.Txid;

/**
 * What {@link CrashPointChild} was told: {@code I attempt} begins a commit, {@code C attempt} has returned, {@code R attempt} is
 * acknowledged as replicated, {@code S rows} so many rows are, {@code B attempts} and {@code E} surround a restore in place, {@code T txid
 * page-size crcs} tells what each page holds at a replicated transaction.
 */
final class CrashPointLog {

    static final String NAME = "child.log";

    private final List<String> begun = new ArrayList<>();
    private final List<String> committed = new ArrayList<>();
    private final List<String> replicated = new ArrayList<>();
    private final Map<Txid, Truth> truths = new TreeMap<>();
    private int rows;
    private List<String> beforeRestore = List.of();
    private List<String> restoredAway = List.of();
    private boolean restoring;

    static CrashPointLog read(Path folder) throws IOException {
        CrashPointLog log = new CrashPointLog();
        if (Files.exists(folder.resolve(NAME))) {
            for (String line : Files.readAllLines(folder.resolve(NAME))) {
                log.add(line.split(" ", -1));
            }
        }
        return log;
    }

    private void add(String[] fields) {
        switch (fields[0]) {
            case "I" -> begun.add(fields[1]);
            case "C" -> committed.add(fields[1]);
            case "R" -> replicated.add(fields[1]);
            case "S" -> rows = Integer.parseInt(fields[1]);
            case "T" -> truths.put(Txid.parse(fields[1]), Truth.parse(fields[2], fields[3]));
            case "B" -> {
                beforeRestore = List.of(fields[1].split(",", -1));
                restoring = true;
            }
            case "E" -> {
                restoring = false;
                restoredAway = beforeRestore.subList(beforeRestore.size() - 1, beforeRestore.size());
            }
            default -> throw new AssertionError(String.join(" ", fields));
        }
    }

    /** Commits before a restore in place that may have ended, or not. */
    List<String> beforeRestore() {
        return beforeRestore;
    }

    int replicatedCount() {
        return replicated.size();
    }

    Map<Txid, Truth> truths() {
        return truths;
    }

    void assertReplicatedIn(List<String> history) {
        assertThat(missing(replicated, history))
                .as("acknowledged as replicated, not in " + history)
                .isEmpty();
        assertThat(history).as("acknowledged as replicated").hasSizeGreaterThanOrEqualTo(rows);
    }

    void assertCommittedIn(List<String> history) {
        assertThat(missing(committed, history))
                .as("acknowledged as committed, not in " + history)
                .isEmpty();
        assertThat(restoredAway).as("restored away, and in " + history).noneMatch(history::contains);
    }

    private List<String> missing(List<String> attempts, List<String> history) {
        List<String> missing = new ArrayList<>(lasting(attempts));
        missing.removeAll(history);
        return missing;
    }

    /** Without what a restore in place took away, or may have taken away. */
    private List<String> lasting(List<String> attempts) {
        List<String> lasting = new ArrayList<>(attempts);
        lasting.removeAll(restoredAway);
        if (restoring) {
            lasting.removeAll(beforeRestore);
        }
        return lasting;
    }
}
