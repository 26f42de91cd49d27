package org.litestream4j.cli;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.litestream4j.compaction.Validation;
import org.litestream4j.copy.CopyResult;
import org.litestream4j.internal.capture.LocalState;
import org.litestream4j.ltx.DatabaseChecksum;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.FollowState;
import org.litestream4j.restore.RestorableRange;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestorePoints;
import org.litestream4j.restore.RestoreResult;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Formats of the JSON output. The names and types here are part of the public interface. */
final class Json {

    private static final ObjectMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    static String write(Object value) {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    }

    /** Writes a value without line feeds. */
    static String writeLine(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /**
     * A listed file.
     *
     * @param timestamp time of the file's last transaction, ISO 8601
     * @param exact false if {@code timestamp} is the time at which the store received the file
     */
    record File(int level, String minTxid, String maxTxid, long bytes, Instant timestamp, boolean exact) {
        static File of(LtxFileInfo file) {
            return new File(
                    file.level(),
                    file.minTxid().toString(),
                    file.maxTxid().toString(),
                    file.size(),
                    file.timestamp(),
                    file.exact());
        }
    }

    /**
     * Result of a copy.
     *
     * @param newestTxid newest state that the copy can restore
     * @param present files that the copy had before
     * @param damaged files of the source that were not copied
     */
    record Copied(String newestTxid, int files, long bytes, int present, int deleted, int marks, List<String> damaged) {
        static Copied of(CopyResult result) {
            return new Copied(
                    result.newest().toString(),
                    result.files(),
                    result.bytes(),
                    result.present(),
                    result.deleted(),
                    result.marks(),
                    result.damaged().stream()
                            .map(file -> file.level() + "/" + file.name())
                            .toList());
        }
    }

    /** The error for which a command failed, in one line, and the exit code. */
    record Failure(String error, int exitCode) {}

    /** The reason for which nothing was restored, although no step failed. */
    record Nothing(boolean restored, String reason) {
        static Nothing because(String reason) {
            return new Nothing(false, reason);
        }
    }

    /**
     * A mark.
     *
     * @param expires null if the mark does not expire
     * @param restorable whether the marked state can be restored now
     */
    record MarkInfo(
            String name,
            String txid,
            Instant timestamp,
            Instant created,
            @Nullable Instant expires,
            boolean restorable) {
        static MarkInfo of(Mark mark, boolean restorable) {
            return new MarkInfo(
                    mark.name(), mark.txid().toString(), mark.timestamp(), mark.created(), mark.expires(), restorable);
        }
    }

    /** The marks of a replica. */
    record MarkList(List<MarkInfo> marks) {}

    /** The files that a restore would read. */
    record Plan(String txid, long bytes, List<File> files) {
        static Plan of(RestorePlan plan) {
            return new Plan(
                    plan.txid().toString(),
                    plan.bytes(),
                    plan.files().stream().map(File::of).toList());
        }
    }

    /**
     * A state of a standby.
     *
     * @param step restored, resumed, applied or copied
     * @param timestamp time of the state; null for a resumed state
     * @param pages number of changed pages
     */
    record Follow(String step, String database, String txid, @Nullable Instant timestamp, long pages) {
        static Follow of(FollowState state) {
            return new Follow(
                    state.step().name().toLowerCase(Locale.ROOT),
                    state.database().toString(),
                    state.txid().toString(),
                    state.timestamp(),
                    state.pages());
        }
    }

    /**
     * Result of a restore.
     *
     * @param databaseChecksum checksum taken at the capture, which the restored database was found to match; null
     *     if the replica does not contain it
     * @param bytes number of bytes read from the replica
     * @param fileCount number of files read
     */
    record Result(
            String database,
            String txid,
            Instant timestamp,
            int pageSize,
            long pages,
            @Nullable String databaseChecksum,
            long bytes,
            int fileCount,
            List<String> movedAside,
            long elapsedMillis) {
        static Result of(RestoreResult result) {
            return new Result(
                    result.target().toString(),
                    result.txid().toString(),
                    result.timestamp(),
                    result.pageSize(),
                    result.pages(),
                    result.databaseChecksum().isPresent()
                            ? DatabaseChecksum.text(result.databaseChecksum().getAsLong())
                            : null,
                    result.bytesRead(),
                    result.files(),
                    result.movedAside().stream().map(Object::toString).toList(),
                    result.elapsed().toMillis());
        }
    }

    /** Captured state of a database, and content of its replica; null for the part that was not requested. */
    record Status(@Nullable Local local, @Nullable Replica replica) {}

    /**
     * The local state of a database.
     *
     * @param captured newest captured TXID; null if there is no local state
     * @param running whether a process is replicating the database
     * @param files number of level-0 files kept
     */
    record Local(
            String database,
            boolean exists,
            String metaPath,
            @Nullable String captured,
            boolean running,
            int files,
            long bytes) {
        static Local of(Path database, boolean exists, Path metaPath, @Nullable LocalState state) {
            return new Local(
                    database.toString(),
                    exists,
                    metaPath.toString(),
                    state == null ? null : state.captured().toString(),
                    state != null && state.running(),
                    state == null ? 0 : state.files(),
                    state == null ? 0 : state.bytes());
        }
    }

    /**
     * Content of a replica.
     *
     * @param newestTxid newest TXID; zeros if there is no file
     * @param earliest oldest restorable state; null if there is none
     * @param latest newest restorable state; null if there is none
     * @param levels levels that contain files
     */
    record Replica(
            String url, String newestTxid, @Nullable Point earliest, @Nullable Point latest, List<Level> levels) {
        static Replica of(String url, RestorePoints points) {
            RestorableRange range = points.range();
            return new Replica(
                    url,
                    newest(points).toString(),
                    range == null ? null : new Point(range.earliest().toString(), range.earliestTime()),
                    range == null ? null : new Point(range.latest().toString(), range.latestTime()),
                    points.levels().stream().map(Level::of).toList());
        }

        static Txid newest(RestorePoints points) {
            return points.levels().stream().map(RestorePoints.Level::maxTxid).reduce(Txid.NONE, Txid::max);
        }
    }

    /** A restorable state. */
    record Point(String txid, Instant timestamp) {}

    /** The files of one level. */
    record Level(int level, long files, long bytes, String minTxid, String maxTxid) {
        static Level of(RestorePoints.Level level) {
            return new Level(
                    level.level(),
                    level.files(),
                    level.bytes(),
                    level.minTxid().toString(),
                    level.maxTxid().toString());
        }
    }

    /** Result of a validation. */
    record Check(boolean sound, boolean deep, long files, long bytes, String newestTxid, List<Problem> problems) {
        static Check of(Validation.Result result) {
            return new Check(
                    result.isSound() && result.files() > 0,
                    result.deep(),
                    result.files(),
                    result.bytes(),
                    result.newest().toString(),
                    result.problems().stream().map(Problem::of).toList());
        }
    }

    /**
     * A problem found by a validation.
     *
     * @param kind GAP, OVERLAP, CONTAINED, DAMAGED or UNREACHABLE
     * @param serious whether a restore may be affected
     */
    record Problem(String kind, boolean serious, int level, String file, String text) {
        static Problem of(Validation.Problem problem) {
            return new Problem(
                    problem.kind().name(),
                    problem.isSerious(),
                    problem.level(),
                    problem.file().toString(),
                    problem.text());
        }
    }
}
