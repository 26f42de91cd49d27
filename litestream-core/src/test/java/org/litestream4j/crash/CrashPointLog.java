package org.litestream4j.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.litestream4j.ltx.Txid;
import org.litestream4j.testing.Truth;

/**
 * The log of a {@link CrashPointChild}, one line for each event:
 *
 * <ul>
 *   <li>{@code I attempt}: a commit begins; {@code C attempt}: it returned
 *   <li>{@code R attempt}: {@code sync} returned, so this attempt is acknowledged as replicated; {@code S rows}: the same for a number of rows
 *   <li>{@code B attempts}: a restore in place begins, of a database with these rows; {@code E}: it returned
 *   <li>{@code T txid page-size crcs}: the content of each page at a replicated transaction
 * </ul>
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

    /** Returns the history of the database when the restore in place began; empty if none did. */
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

    /** Leaves out the attempts that a restore in place removed, or may have removed. */
    private List<String> lasting(List<String> attempts) {
        List<String> lasting = new ArrayList<>(attempts);
        lasting.removeAll(restoredAway);
        if (restoring) {
            lasting.removeAll(beforeRestore);
        }
        return lasting;
    }
}
