package org.litestream4j.compaction;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;

/**
 * Checks a replica without changing it: whether the files of each level follow each other, whether the newest state can be
 * reached, and, when asked, every byte of every file. Replication may go on meanwhile.
 */
public final class Validation {

    /** What can be wrong. */
    public enum Kind {
        /** Transactions are missing before a file. */
        GAP,
        /** A file holds transactions that the one before it holds as well: harmless, but not made here. */
        OVERLAP,
        /** A file lies inside another of its level: harmless, but not made here. */
        CONTAINED,
        /** The content of a file is not what it must be. */
        DAMAGED,
        /** The newest state cannot be restored. */
        UNREACHABLE
    }

    /**
     * Something that is wrong.
     *
     * @param level of the file
     * @param file that it was noticed at
     * @param text what is wrong, and what to do
     */
    public record Problem(Kind kind, int level, LtxFileName file, String text) {

        /** Whether a restore may suffer. */
        public boolean isSerious() {
            return kind != Kind.OVERLAP && kind != Kind.CONTAINED;
        }

        /** Whether a snapshot makes up for it: past states may be lost, the newest can be restored. */
        public boolean isCoveredBy(Txid snapshot) {
            Txid last = kind == Kind.GAP ? file.min().previous() : file.max();
            return !snapshot.isBefore(last);
        }
    }

    /**
     * What was found.
     *
     * @param files number of files that were looked at
     * @param bytes their size
     * @param newest transaction of the replica; {@link Txid#NONE} if it is empty
     * @param snapshot the newest that was not found damaged; {@link Txid#NONE} if there is none
     * @param deep whether all content was read
     */
    public record Result(long files, long bytes, Txid newest, Txid snapshot, boolean deep, List<Problem> problems) {

        public Result {
            problems = List.copyOf(problems);
        }

        /** Whether nothing is wrong that a restore may suffer from. */
        public boolean isSound() {
            return problems.stream().noneMatch(Problem::isSerious);
        }

        /** What is serious, and what a new snapshot would make up for. */
        public List<Problem> uncovered() {
            return problems.stream()
                    .filter(problem -> problem.isSerious() && !problem.isCoveredBy(snapshot))
                    .toList();
        }
    }

    private static final Txid FIRST = new Txid(1);

    private final ReplicaClient client;
    private final StopSignal stop = new StopSignal();
    private final List<LevelFiles> levels = new ArrayList<>();
    private final List<Problem> problems = new ArrayList<>();
    /** Of the last one that was read; null if there was none. */
    private @Nullable LtxHeader lastLevel0;

    private long files;
    private long bytes;

    private Validation(ReplicaClient client) {
        this.client = client;
    }

    /**
     * Checks a replica.
     *
     * @param deep whether to read every file; else only listings are read
     * @param stopped asked for each file; the check then ends with what it has
     */
    public static Result run(ReplicaClient client, boolean deep, BooleanSupplier stopped) throws IOException {
        return new Validation(client).run(deep, stopped);
    }

    private Result run(boolean deep, BooleanSupplier stopped) throws IOException {
        // Upwards: a file leaves a level only after its content is in the next.
        for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
            LevelFiles listed = new LevelFiles(level);
            client.list(level, Txid.NONE, file -> {
                listed.add(file);
                bytes += file.size();
                return true;
            });
            files += listed.count() + listed.contained().size();
            levels.add(listed);
        }
        for (LevelFiles level : levels.subList(0, ReplicaClient.SNAPSHOT_LEVEL)) {
            checkOrder(level);
        }
        Txid newest = checkReachable();
        for (int level = 0; deep && level < levels.size(); level++) {
            for (int i = 0; i < levels.get(level).count() && !stopped.getAsBoolean(); i++) {
                checkContent(levels.get(level).info(i));
            }
        }
        return new Result(files, bytes, newest, newestSnapshot(), deep, problems);
    }

    private Txid newestSnapshot() {
        LevelFiles snapshots = levels.get(ReplicaClient.SNAPSHOT_LEVEL);
        for (int i = snapshots.count() - 1; i >= 0; i--) {
            LtxFileName name = snapshots.name(i);
            boolean damaged = problems.stream()
                    .anyMatch(problem -> problem.level() == ReplicaClient.SNAPSHOT_LEVEL
                            && problem.kind() == Kind.DAMAGED
                            && problem.file().equals(name));
            if (!damaged) {
                return name.max();
            }
        }
        return Txid.NONE;
    }

    private void checkOrder(LevelFiles level) {
        level.contained().forEach(file -> note(Kind.CONTAINED, file, "lies inside another file"));
        for (int i = 1; i < level.count(); i++) {
            Txid before = level.max(i - 1);
            LtxFileInfo file = level.info(i);
            if (!file.name().continues(before)) {
                note(
                        Kind.GAP,
                        file,
                        "transactions " + before.next() + " to "
                                + file.minTxid().previous() + " are missing before it; take a snapshot");
            } else if (!file.minTxid().isAfter(before)) {
                note(Kind.OVERLAP, file, "overlaps the file before it");
            }
        }
    }

    /** As a restore does: again and again the file that leads furthest. */
    private Txid checkReachable() {
        Txid newest = Txid.NONE;
        LtxFileInfo last = null;
        for (LevelFiles level : levels) {
            if (level.count() > 0 && level.max(level.count() - 1).isAfter(newest)) {
                last = level.info(level.count() - 1);
                newest = last.maxTxid();
            }
        }
        Txid reached = Txid.NONE;
        while (last != null && reached.isBefore(newest)) {
            Txid next = furthest(reached);
            if (!next.isAfter(reached)) {
                note(
                        Kind.UNREACHABLE,
                        last,
                        "cannot be restored: no file continues transaction " + reached + "; take a snapshot");
                break;
            }
            reached = next;
        }
        return newest;
    }

    private Txid furthest(Txid reached) {
        Txid furthest = reached;
        for (LevelFiles level : levels) {
            for (int i = level.firstAfter(reached); i < level.count(); i++) {
                if (level.min(i).isAfter(FIRST) && !level.name(i).continues(reached)) {
                    break;
                }
                furthest = Txid.max(furthest, level.max(i));
            }
        }
        return furthest;
    }

    private void checkContent(LtxFileInfo file) throws IOException {
        try (LtxReader reader = LtxReader.open(
                Inputs.openRemote(client, file, stop).content(), Inputs.label(client, file), file.name())) {
            long pages = 0;
            while (reader.next()) { // reading to the end is the check
                pages++;
            }
            if (file.level() == 0) {
                checkChain(file, reader.header(), pages);
            }
        } catch (LtxFormatException e) {
            note(Kind.DAMAGED, file, e.getMessage() + "; take a snapshot");
        } catch (ReplicaFileNotFoundException e) {
            // retention deleted it since the listing
        }
    }

    /**
     * Files of two writers may have names that follow each other, but not WAL ranges. A file with all pages follows on anything, and
     * a WAL that was started again begins with its first frame.
     */
    private void checkChain(LtxFileInfo file, LtxHeader header, long pages) {
        LtxHeader before = lastLevel0;
        lastLevel0 = header;
        boolean whole = pages >= header.commit() - (LockPage.pgno(header.pageSize()) <= header.commit() ? 1 : 0);
        if (before != null
                && !whole
                && file.minTxid().equals(before.maxTxid().next())
                && !header.wal().follows(before.wal())) {
            note(
                    Kind.DAMAGED,
                    file,
                    "does not continue the file before it (WAL offset "
                            + header.wal().offset() + " after "
                            + (before.wal().offset() + before.wal().size())
                            + "): two programs wrote here; the last sound transaction before it is " + before.maxTxid()
                            + "; take a snapshot");
        }
    }

    private void note(Kind kind, LtxFileInfo file, String text) {
        problems.add(new Problem(kind, file.level(), file.name(), text));
    }
}
