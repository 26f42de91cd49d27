package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.ObjectInfo;
import java.io.IOException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.litestream4j.replica.OtherBackup;

/** Finds replicas at other paths that the client's settings may mean. Reads the bucket's listing once. */
final class NatsOtherBackups {

    private static final Pattern FILE = Pattern.compile("(?:(.*)/)?ltx/[0-9]/[0-9a-f]{16}-[0-9a-f]{16}\\.ltx");

    private final NatsBucket bucket;

    NatsOtherBackups(NatsBucket bucket) {
        this.bucket = bucket;
    }

    Optional<OtherBackup> find() throws IOException {
        Set<String> paths = paths();
        NatsSettings settings = bucket.settings();
        for (String other : settings.otherPaths()) {
            if (paths.contains(other)) {
                return Optional.of(
                        other.isEmpty()
                                ? new OtherBackup(
                                        "no files are below the path " + settings.path()
                                                + ", but a replica is at the top of the bucket, where Litestream keeps it,"
                                                + " because it ignores the setting path",
                                        "to use it, remove the setting path; for a new database, write the path into the"
                                                + " URL: " + settings.url())
                                : new OtherBackup(
                                        "no files are below the path " + settings.path()
                                                + ", but a replica is below " + other
                                                + ", where an earlier version kept it",
                                        "to use it, set path to " + other));
            }
        }
        return Optional.empty();
    }

    private Set<String> paths() throws IOException {
        Set<String> paths = new HashSet<>();
        new StreamScan(bucket)
                .run("$O." + bucket.settings().bucket() + ".M.>", StreamScan.Kind.NEWEST, new StreamScan.Sink() {
                    @Override
                    public void begin() {
                        paths.clear();
                    }

                    @Override
                    public void take(Message message) {
                        String name = bucket.objectName(message.getSubject());
                        Matcher file = FILE.matcher(name == null ? "" : name);
                        if (file.matches() && !new ObjectInfo(message).isDeleted()) {
                            paths.add(file.group(1) == null ? "" : file.group(1));
                        }
                    }
                });
        return paths;
    }
}
