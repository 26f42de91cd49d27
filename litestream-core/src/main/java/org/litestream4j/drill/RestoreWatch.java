package org.litestream4j.drill;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.restore.RestoreListener;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.restore.RestoreProgress.Phase;

/**
 * Follows one restore of a drill: measures the integrity check, which is not part of a recovery, and pauses in the steps
 * that do not read from the replica. Confined to the thread of the drill.
 */
final class RestoreWatch implements RestoreListener {

    private final Limits limits;
    private final List<String> damage = new ArrayList<>();

    /** Work of the current step; renewed when the thread returns from waiting for the readers. */
    private Limits.Work work = new Limits.Work();

    private Phase phase = Phase.PLANNING;
    private boolean working;
    private long checkingBegun;
    private long checkingNanos;
    private Duration pausedBefore = Duration.ZERO;
    private Duration pausedWhileChecking = Duration.ZERO;

    RestoreWatch(Limits limits) {
        this.limits = limits;
    }

    @Override
    public void onProgress(RestoreProgress progress) {
        boolean wasWorking = working;
        Phase before = phase;
        phase = progress.phase();
        boolean verifying = phase == Phase.READING && progress.files() == progress.totalFiles();
        working = phase == Phase.CHECKING || (verifying && progress.totalFiles() > 0);
        if (working && !wasWorking) {
            work = new Limits.Work();
        }
        if (phase == Phase.CHECKING && before != Phase.CHECKING) {
            checkingBegun = System.nanoTime();
            pausedBefore = limits.paused();
        } else if (before == Phase.CHECKING && phase != Phase.CHECKING) {
            checkingNanos += System.nanoTime() - checkingBegun;
            pausedWhileChecking = pausedWhileChecking.plus(limits.paused().minus(pausedBefore));
        }
    }

    @Override
    public void onDamagedFile(String problem) {
        damage.add(problem);
    }

    /** Pauses if the thread of the drill works itself, and returns whether the restore must end. */
    boolean isOver() {
        if (working) {
            limits.pauseAfter(work);
        }
        return limits.areExceeded();
    }

    /** Returns descriptions of the damaged files that were met. */
    List<String> damage() {
        return List.copyOf(damage);
    }

    /** Returns the duration of the integrity check, with its pauses. */
    Duration checking() {
        return Duration.ofNanos(checkingNanos);
    }

    /** Returns the pauses during the integrity check. */
    Duration pausedWhileChecking() {
        return pausedWhileChecking;
    }
}
