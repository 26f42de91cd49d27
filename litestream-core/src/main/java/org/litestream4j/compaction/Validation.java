package org.litestream4j.compaction;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxFormatException;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.StopSignal;

/**
 * Checks a replica without changing it: whether the files of each level are consecutive, whether the newest state can
 * be reached, and, on request, the content of every file. Replication may continue during the check.
 */
public final class Validation {

    /** Kinds of problems. */
    public enum Kind {
        /** Transactions are missing before a file. */
        GAP,
        /** A file repeats transactions of the previous file. Harmless, but not written by this program. */
        OVERLAP,
        /** A file is contained in another file of its level. Harmless, but not written by this program. */
        CONTAINED,
        /** The content of a file is invalid. */
        DAMAGED,
        /** The newest state cannot be restored. */
        UNREACHABLE
    }

    /**
     * A problem.
     *
     * @param kind kind of the problem
     * @param level level of the file
     * @param file file at which the problem was found
     * @param text description of the problem, with its remedy
     */
    public record Problem(Kind kind, int level, LtxFileName file, String text) {

        /** Returns whether a restore may be affected. */
        public boolean isSerious() {
            return kind != Kind.OVERLAP && kind != Kind.CONTAINED;
        }

        /** Returns whether a snapshot makes the problem irrelevant for the newest state. Past states may still be lost. */
        public boolean isCoveredBy(Txid snapshot) {
            Txid last = kind == Kind.GAP ? file.min().previous() : file.max();
            return !snapshot.isBefore(last);
        }
    }

    /**
     * Result of a validation.
     *
     * @param files number of files checked
     * @param bytes total size of these files
     * @param newest newest transaction of the replica; {@link Txid#NONE} if the replica is empty
     * @param snapshot last transaction of the newest snapshot that was not found damaged; {@link Txid#NONE} if
     *     there is none
     * @param deep whether all content was read
     * @param problems problems found
     */
    public record Result(long files, long bytes, Txid newest, Txid snapshot, boolean deep, List<Problem> problems) {

        public Result {
            problems = List.copyOf(problems);
        }

        /** Returns whether there is no problem that may affect a restore. */
        public boolean isSound() {
            return problems.stream().noneMatch(Problem::isSerious);
        }

        /** Returns the serious problems that the newest snapshot does not make irrelevant. */
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
    /** Header of the last level-0 file that was read; null if there was none. */
    private @Nullable LtxHeader lastLevel0;

    private long files;
    private long bytes;

    private Validation(ReplicaClient client) {
        this.client = client;
    }

    /**
     * Checks a replica.
     *
     * @param deep whether to read every file; if false, only listings are read
     * @param stopped called before each file; if it returns true, the check ends with the result so far
     */
    public static Result run(ReplicaClient client, boolean deep, BooleanSupplier stopped) throws IOException {
        return new Validation(client).run(file -> deep, deep, stopped);
    }

    /**
     * Checks a replica, and reads some of its files. The result counts as one of a check that is not deep.
     *
     * @param read selects the files to read
     * @param stopped called before each file; if it returns true, the check ends with the result so far
     */
    public static Result run(ReplicaClient client, Predicate<LtxFileInfo> read, BooleanSupplier stopped)
            throws IOException {
        return new Validation(client).run(read, false, stopped);
    }

    private Result run(Predicate<LtxFileInfo> read, boolean deep, BooleanSupplier stopped) throws IOException {
        // In ascending order: a file is deleted from a level only after its content is in the next one.
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
        List<Set<LtxFileName>> pinned = Pins.files(marks(), levels, Instant.MIN);
        for (int level = 0; level < ReplicaClient.SNAPSHOT_LEVEL; level++) {
            checkOrder(level, levels.get(level), pinned.get(level));
        }
        Txid newest = checkReachable();
        for (LevelFiles level : levels) {
            for (int i = 0; i < level.count(); i++) {
                LtxFileInfo file = level.info(i);
                if (read.test(file)) {
                    if (stopped.getAsBoolean()) {
                        return new Result(files, bytes, newest, newestSnapshot(), deep, problems);
                    }
                    checkContent(file);
                }
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

    private List<Mark> marks() throws IOException {
        List<Mark> marks = new ArrayList<>();
        Optional<MarkStore> store = client.marks();
        if (store.isPresent()) {
            for (MarkStore.Stored stored : store.get().list()) {
                Optional<byte[]> content = store.get().read(stored.name());
                try {
                    content.ifPresent(bytes -> marks.add(Mark.decode(stored.name(), bytes)));
                } catch (IllegalArgumentException e) {
                    // reported by retention
                }
            }
        }
        return marks;
    }

    /**
     * Returns whether a gap is due to a mark: retention has deleted the files after those that the mark keeps, but only
     * where the next level, or a snapshot, has their transactions.
     */
    private boolean isAfterPinned(int level, LtxFileName before, LtxFileName after, Set<LtxFileName> pinned) {
        LevelFiles cover = levels.get(level == 0 ? 1 : ReplicaClient.SNAPSHOT_LEVEL);
        Txid covered = Txid.max(
                cover.newest(), levels.get(ReplicaClient.SNAPSHOT_LEVEL).newest());
        return pinned.contains(before) && !after.min().previous().isAfter(covered);
    }

    private void checkOrder(int number, LevelFiles level, Set<LtxFileName> pinned) {
        level.contained().forEach(file -> note(Kind.CONTAINED, file, "lies inside another file"));
        for (int i = 1; i < level.count(); i++) {
            Txid before = level.max(i - 1);
            LtxFileInfo file = level.info(i);
            if (!file.name().continues(before)) {
                if (isAfterPinned(number, level.name(i - 1), file.name(), pinned)) {
                    continue;
                }
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

    /** Finds the newest reachable state as a restore does, by repeatedly taking the file that ends last. */
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
            while (reader.next()) { // reading the whole file is the check
                pages++;
            }
            if (file.level() == 0) {
                checkChain(file, reader.header(), pages);
            }
        } catch (LtxFormatException e) {
            note(Kind.DAMAGED, file, e.getMessage() + "; take a snapshot");
        } catch (ReplicaFileNotFoundException e) {
            // deleted by retention since the listing
        }
    }

    /**
     * Checks the WAL ranges. Files of two writers may have consecutive names, but not consecutive WAL ranges. A file
     * with all pages may follow any file, and a restarted WAL begins with its first frame.
     */
    private void checkChain(LtxFileInfo file, LtxHeader header, long pages) {
        LtxHeader before = lastLevel0;
        lastLevel0 = header;
        boolean whole = isImage(header, pages);
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

    /** Returns whether a file contains all pages of the database. */
    static boolean isImage(LtxHeader header, long pages) {
        return pages >= header.commit() - (LockPage.pgno(header.pageSize()) <= header.commit() ? 1 : 0);
    }

    private void note(Kind kind, LtxFileInfo file, String text) {
        problems.add(new Problem(kind, file.level(), file.name(), text));
    }
}
