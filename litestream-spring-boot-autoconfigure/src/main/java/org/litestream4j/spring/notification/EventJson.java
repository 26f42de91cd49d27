package org.litestream4j.spring.notification;

import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.litestream4j.LitestreamEvent;
import org.litestream4j.LitestreamEvent.AuditFailed;
import org.litestream4j.LitestreamEvent.Conflict;
import org.litestream4j.LitestreamEvent.Drilled;
import org.litestream4j.LitestreamEvent.Healed;
import org.litestream4j.LitestreamEvent.ReplicationFailed;
import org.litestream4j.LitestreamEvent.ReplicationRecovered;
import org.litestream4j.LitestreamEvent.Restored;
import org.litestream4j.LitestreamEvent.SnapshotPublished;
import org.litestream4j.LitestreamEvent.Validated;
import org.litestream4j.compaction.Validation;
import org.springframework.boot.json.JsonWriter;

/** Names of events, and events as JSON objects. */
final class EventJson {

    /** Maximum number of findings of a validation in one object. */
    private static final int MAX_FINDINGS = 10;

    private static final JsonWriter<Map<String, Object>> WRITER = JsonWriter.standard();

    private EventJson() {}

    /** Returns the names of all events, in alphabetical order. */
    static List<String> names() {
        return Arrays.stream(LitestreamEvent.class.getPermittedSubclasses())
                .map(EventJson::name)
                .sorted()
                .toList();
    }

    /** Returns the name of an event's type, for example "replication-failed". */
    static String name(Class<?> type) {
        return type.getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
    }

    /**
     * Returns an event as a JSON object.
     *
     * @param id identifies the event in all attempts to deliver it
     * @param application name of the application; empty if it has none
     */
    static String write(LitestreamEvent event, String id, String application, Instant at) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", id);
        json.put("event", name(event.getClass()));
        json.put("at", at.toString());
        if (!application.isEmpty()) {
            json.put("application", application);
        }
        json.put("database", event.database());
        describe(event, json);
        return WRITER.writeToString(json);
    }

    private static void describe(LitestreamEvent event, Map<String, Object> json) {
        if (event instanceof ReplicationFailed failed) {
            json.put("replica", failed.replica());
            json.put("step", failed.step().name().toLowerCase(Locale.ROOT));
            json.put("problem", failed.error());
        } else if (event instanceof ReplicationRecovered recovered) {
            json.put("replica", recovered.replica());
            json.put("step", recovered.step().name().toLowerCase(Locale.ROOT));
            json.put("outage", recovered.outage().toString());
        } else if (event instanceof AuditFailed failed) {
            json.put("replica", failed.replica());
            json.put("problem", failed.problem());
        } else if (event instanceof Conflict conflict) {
            json.put("replica", conflict.replica());
            json.put("problem", conflict.error());
        } else if (event instanceof SnapshotPublished published) {
            json.put("replica", published.replica());
            json.put("txid", published.txid().toString());
        } else if (event instanceof Healed healed) {
            json.put("replica", healed.replica());
            json.put("problem", healed.problem());
            json.put("remedy", healed.remedy());
        } else if (event instanceof Restored restored) {
            json.put("path", restored.path().toString());
            json.put("txid", restored.result().txid().toString());
        } else if (event instanceof Validated validated) {
            describe(validated, json);
        } else if (event instanceof Drilled drilled) {
            json.put("replica", drilled.replica());
            json.put("report", drilled.report().describe());
        }
    }

    private static void describe(Validated validated, Map<String, Object> json) {
        json.put("replica", validated.replica());
        json.put("sound", validated.result().isSound());
        json.put(
                "findings",
                validated.result().problems().stream()
                        .filter(Validation.Problem::isSerious)
                        .limit(MAX_FINDINGS)
                        .map(problem -> problem.kind() + " at level " + problem.level() + ", " + problem.file() + ": "
                                + problem.text())
                        .toList());
    }
}
