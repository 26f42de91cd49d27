package org.litestream4j.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Arguments for the replica, shared by several commands. */
final class ReplicaArguments {

    @Parameters(
            index = "0",
            paramLabel = "REPLICA_URL",
            description = "URL, such as file:///var/backups/app or s3://bucket/app.")
    private String url = "";

    @Option(
            names = "--setting",
            paramLabel = "NAME=VALUE",
            description = "Setting of the replica; overrides the URL parameter of the same name. May be repeated.")
    private Map<String, String> settings = new LinkedHashMap<>();

    /** @throws UsageException if the URL or a setting is invalid */
    ReplicaClient open() {
        return open(url, settings);
    }

    /** @throws UsageException if the URL is invalid */
    ReplicaLocation location() {
        try {
            return location(url, settings);
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }

    private static ReplicaLocation location(String url, Map<String, String> settings) {
        if (url.matches("[^:/.]+")) { // a word, perhaps a key from the wrong variable: not in the message
            throw new UsageException("the replica URL has no scheme; write for example file:///var/backups/app");
        }
        return new ReplicaLocation(url, settings);
    }

    /** @throws UsageException if the URL or a setting is invalid */
    static ReplicaClient open(String url, Map<String, String> settings) {
        try {
            return Replicas.open(location(url, settings));
        } catch (IllegalArgumentException e) {
            throw new UsageException(e);
        }
    }
}
