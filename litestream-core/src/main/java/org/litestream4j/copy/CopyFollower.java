package org.litestream4j.copy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.StopSignal;

/** Keeps a target up to date. Not thread-safe. */
final class CopyFollower {

    /** Time after which everything is compared, so that merged files, deletions and marks are copied without new commits. */
    private static final Duration FULL_INTERVAL = Duration.ofMinutes(5);

    private static final int POLL_MILLIS = 100;

    private final ReplicaClient source;
    private final ReplicaClient target;
    private final CopyOptions options;
    private final Duration interval;
    private final StopSignal stop;

    private Txid newest = Txid.NONE;
    private long comparedAt;
    private boolean isCurrent;

    CopyFollower(ReplicaClient source, ReplicaClient target, CopyOptions options, Duration interval) {
        this.source = source;
        this.target = target;
        this.options = options;
        this.interval = interval;
        this.stop = new StopSignal(options.cancelled());
    }

    void run() throws IOException {
        boolean begun = false;
        while (!stop.isStopped()) {
            try {
                if (isDue()) {
                    copy();
                    begun = true;
                }
            } catch (StopSignal.StoppedException e) {
                return;
            } catch (CopyException e) {
                throw e;
            } catch (IOException e) {
                isCurrent = false;
                if (!begun) {
                    throw e;
                }
                options.listener().onFailure(e);
            }
            pause();
        }
    }

    private boolean isDue() throws IOException {
        if (!isCurrent || System.nanoTime() - comparedAt >= FULL_INTERVAL.toNanos()) {
            return true;
        }
        boolean[] isNew = {false};
        source.list(0, newest.next(), file -> {
            isNew[0] = true;
            return false;
        });
        return isNew[0];
    }

    private void copy() throws IOException {
        long now = System.nanoTime();
        CopyResult result = new CopyRun(source, target, options).run();
        newest = result.newest();
        comparedAt = now;
        isCurrent = true;
        options.listener().onResult(result);
    }

    private void pause() {
        long end = System.nanoTime() + interval.toNanos();
        long left = interval.toNanos();
        while (left > 0 && !stop.isStopped()) {
            stop.pause(Math.max(1, Math.min(POLL_MILLIS, TimeUnit.NANOSECONDS.toMillis(left))));
            left = end - System.nanoTime();
        }
    }
}
