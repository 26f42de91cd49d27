package org.litestream4j.internal.pages;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaFileChangedException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.restore.RestoreTarget;

/**
 * Finds what follows on a state, with one listing of level 0 while nothing unusual happens. New files are taken only if the
 * file that ends at the known state is listed as before; otherwise, the state is planned anew. Used by one thread.
 */
final class NextStates {

    /** Number of files of one listing. */
    private static final int MAX_FILES = 1_000;

    /** Number of new files from which on their merged successors are looked for. */
    private static final int REPLAN_FILES = 500;

    /** Number of consecutive times that the replica may seem to have gone back. */
    private static final int MAX_BEHIND = 3;

    private final ReadOnlyReplica replica;
    private final StateFinder states;
    private State state;

    /** The level-0 file that ends at the state; null if not seen yet. */
    private @Nullable LtxFileInfo anchor;

    private int taken;
    private int behind;
    private boolean level0Empty;

    NextStates(ReadOnlyReplica replica, StateFinder states, State state) {
        this.replica = replica;
        this.states = states;
        this.state = state;
        anchor = anchorOf(state);
    }

    private static @Nullable LtxFileInfo anchorOf(State state) {
        LtxFileInfo newest = state.newest().info();
        return newest.level() == 0 ? newest : null;
    }

    State state() {
        return state;
    }

    /** Goes on from the known state as it was found again through other files. */
    void continueFrom(State same) {
        state = same;
    }

    /** Returns whether the replica seemed to be behind the known state when it was listed last. */
    boolean isBehind() {
        return behind > 0;
    }

    /** Looks once. Afterwards, {@link #state} is the newest one, with the same version if it is the same. */
    void poll() throws IOException {
        if (level0Empty || !states.isKnown(state.newest())) {
            plan();
            return;
        }
        List<LtxFileInfo> listed = new ArrayList<>();
        replica.list(0, state.txid(), file -> {
            listed.add(file);
            return listed.size() < MAX_FILES;
        });
        List<LtxFileInfo> next = following(listed);
        boolean hole = next.isEmpty()
                && listed.stream().anyMatch(file -> file.minTxid().isAfter(state.txid()));
        boolean anchored = isAnchored(listed, !next.isEmpty());
        if (hole || !anchored || taken + next.size() >= REPLAN_FILES) {
            level0Empty = listed.isEmpty();
            plan();
            return;
        }
        behind = 0;
        take(next);
    }

    private List<LtxFileInfo> following(List<LtxFileInfo> listed) {
        List<LtxFileInfo> next = new ArrayList<>();
        Txid position = state.txid();
        for (LtxFileInfo file : listed) {
            if (file.name().continues(position)) {
                next.add(file);
                position = file.maxTxid();
            }
        }
        return next;
    }

    private boolean isAnchored(List<LtxFileInfo> listed, boolean needed) throws IOException {
        for (LtxFileInfo file : listed) {
            if (file.maxTxid().equals(state.txid())) {
                if (anchor == null && needed && isEndOfState(file)) {
                    anchor = file;
                }
                return anchor == null ? !needed : anchor.equals(file);
            }
        }
        return false;
    }

    /** Returns whether a level-0 file, of which the state's newest file is a merge, ends at the same state. */
    private boolean isEndOfState(LtxFileInfo file) throws IOException {
        if (file.equals(state.newest().info())) {
            return true;
        }
        ReplicaFile end;
        try {
            end = states.load(List.of(file)).get(0);
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            return false;
        }
        LtxHeader header = end.header();
        ReplicaFile newest = state.newest();
        if (header.pageSize() != state.pageSize() || header.commit() != state.commit()) {
            return false;
        }
        return (newest.databaseChecksum().isPresent() && end.databaseChecksum().isPresent())
                ? newest.databaseChecksum().equals(end.databaseChecksum())
                : header.timestampMillis() == newest.header().timestampMillis();
    }

    private void take(List<LtxFileInfo> next) throws IOException {
        if (next.isEmpty()) {
            return;
        }
        List<ReplicaFile> files;
        try {
            files = states.load(next);
        } catch (ReplicaFileNotFoundException | ReplicaFileChangedException e) {
            plan(); // merged and deleted, or replaced
            return;
        }
        if (!isContinuedBy(files.get(0))) {
            plan();
            return;
        }
        State result = state;
        for (ReplicaFile file : files) {
            if (file.header().commit() == 0) {
                throw new IOException(replica.url() + ": the database has no pages at TXID "
                        + file.header().maxTxid());
            }
            result = result.with(file, result.version());
        }
        taken += files.size();
        become(new State(states.nextVersion(), result.files(), result.layers()));
        anchor = next.get(next.size() - 1);
    }

    /**
     * Returns whether a file continues the history of the state: it comes from the same WAL, at the place where the newest
     * file of the state ends; otherwise, that file must still have the content that was read of it.
     */
    private boolean isContinuedBy(ReplicaFile next) throws IOException {
        WalRange before = state.newest().header().wal();
        WalRange range = next.header().wal();
        boolean sameWal = before.size() > 0
                && before.salt1() == range.salt1()
                && before.salt2() == range.salt2()
                && before.offset() + before.size() == range.offset();
        return sameWal || state.newest().info().level() != 0 || states.hasContentOf(state.newest());
    }

    private void become(State next) {
        state = next;
        behind = 0;
    }

    /** A listing from before does not tell whether the planned state is the known one: the replica may have changed since. */
    private void plan() throws IOException {
        List<ReplicaFile> files = states.files(RestoreTarget.latest());
        Txid txid = states.newest(files);
        if (txid.isBefore(state.txid()) && ++behind < MAX_BEHIND) {
            return;
        }
        State found = State.of(state.version(), files);
        if (!found.isSameAs(state) || replaces(found)) {
            found = new State(states.nextVersion(), found.files(), found.layers());
        }
        if (found.newest().info().level() != ReplicaClient.SNAPSHOT_LEVEL) {
            level0Empty = false;
        }
        anchor = anchorOf(found);
        taken = 0;
        become(found);
    }

    /** Returns whether the file that ended the state is there under its name, and is another one. */
    private boolean replaces(State found) {
        LtxFileInfo before = state.newest().info();
        return found.files().stream()
                .anyMatch(file -> file.info().level() == before.level()
                        && file.info().name().equals(before.name())
                        && !file.info().equals(before));
    }
}
