package org.litestream4j.internal.engine;

import org.litestream4j.ltx.Txid;

/**
 * State of a database's capture lane.
 *
 * @param attached whether the database exists and is held open
 * @param passive whether another process replicates the database
 * @param paused whether a pause was requested and the lane has noticed it
 * @param finished whether the last capture of a shutdown is done, or is impossible
 * @param captured newest captured transaction
 * @param localStates number of times that the local state was lost
 * @param history history of the captured transactions
 * @param imagedComparison number of the newest {@linkplain UploadState#number comparison} that was followed by a full image
 * @param snapshotsRequired number of times that a snapshot was required independently of the schedule
 */
record CaptureState(
        boolean attached,
        boolean passive,
        boolean paused,
        boolean finished,
        Txid captured,
        int localStates,
        History history,
        int imagedComparison,
        int snapshotsRequired) {

    /**
     * A sequence of transactions without a gap. A new history begins when captured transactions that are not on the
     * replica are given up; their numbers are reused.
     *
     * @param number number of the history, from 0
     * @param after last transaction of the replica before it; {@link Txid#NONE} for the first history
     */
    record History(int number, Txid after) {

        static final History FIRST = new History(0, Txid.NONE);

        History next(Txid replicaNewest) {
            return new History(number + 1, replicaNewest);
        }
    }

    static final CaptureState INITIAL = new CaptureState(false, false, false, false, Txid.NONE, 0, History.FIRST, 0, 0);
}
