package org.litestream4j.spring.actuate;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.restore.RestorePoints;

/**
 * States that can be restored.
 *
 * @param earliest oldest state; null if there is none
 * @param latest newest state; null if there is none
 * @param levels levels of the replica that contain files
 */
record RestorePointsDescription(@Nullable Point earliest, @Nullable Point latest, List<Level> levels) {

    static RestorePointsDescription of(RestorePoints points) {
        var range = points.range();
        return new RestorePointsDescription(
                range == null
                        ? null
                        : new Point(
                                range.earliest().toString(),
                                range.earliestTime().toString()),
                range == null
                        ? null
                        : new Point(
                                range.latest().toString(), range.latestTime().toString()),
                points.levels().stream().map(Level::of).toList());
    }

    /**
     * A state of the database.
     *
     * @param txid TXID, 16 hexadecimal digits
     * @param time time of the state, ISO 8601
     */
    record Point(String txid, String time) {}

    /**
     * The files of one level.
     *
     * @param minTxid first transaction, 16 hexadecimal digits
     * @param maxTxid last transaction
     * @param earliest end of the oldest file, ISO 8601
     * @param latest end of the newest file, ISO 8601
     */
    record Level(int level, int files, long bytes, String minTxid, String maxTxid, String earliest, String latest) {

        private static Level of(RestorePoints.Level level) {
            return new Level(
                    level.level(),
                    level.files(),
                    level.bytes(),
                    level.minTxid().toString(),
                    level.maxTxid().toString(),
                    level.earliest().toString(),
                    level.latest().toString());
        }
    }
}
