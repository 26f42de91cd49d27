package org.litestream4j.cli;

import java.time.Instant;
import java.util.List;
import org.litestream4j.compaction.Validation;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestoreResult;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** The shapes of the output for programs: names and types here are a promise. */
final class Json {

    private static final ObjectMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    static String write(Object value) {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    }

    /**
     * A listed file.
     *
     * @param timestamp ISO 8601, of its last transaction
     * @param exact false if the store told only when it got the file
     */
    record File(int level, String minTxid, String maxTxid, long size, Instant timestamp, boolean exact) {
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

    /** What a restore would read. */
    record Plan(String txid, long bytes, List<File> files) {
        static Plan of(RestorePlan plan) {
            return new Plan(
                    plan.txid().toString(),
                    plan.bytes(),
                    plan.files().stream().map(File::of).toList());
        }
    }

    /** What was restored. */
    record Result(
            String database,
            String txid,
            Instant timestamp,
            int pageSize,
            long pages,
            long bytesRead,
            int files,
            List<String> movedAside,
            long elapsedMillis) {
        static Result of(RestoreResult result) {
            return new Result(
                    result.target().toString(),
                    result.txid().toString(),
                    result.timestamp(),
                    result.pageSize(),
                    result.pages(),
                    result.bytesRead(),
                    result.files(),
                    result.movedAside().stream().map(Object::toString).toList(),
                    result.elapsed().toMillis());
        }
    }

    /** What a validation found. */
    record Check(boolean sound, boolean deep, long files, long bytes, String newestTxid, List<Problem> problems) {
        static Check of(Validation.Result result) {
            return new Check(
                    result.isSound(),
                    result.deep(),
                    result.files(),
                    result.bytes(),
                    result.newest().toString(),
                    result.problems().stream().map(Problem::of).toList());
        }
    }

    /**
     * One of its findings.
     *
     * @param kind GAP, OVERLAP, CONTAINED, DAMAGED or UNREACHABLE
     * @param serious whether a restore may suffer
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
