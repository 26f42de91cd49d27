package org.litestream4j.replica.nats;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that a client needs to know, checked by {@link NatsSettingsParser}.
 *
 * @param servers as {@code nats://host:port} or {@code tls://host:port}, without user or password
 * @param path in front of the object names, without slashes at its ends; may be empty
 * @param connection how to reach the servers
 * @param newBucket how to create the bucket if it is missing; null: it must exist
 */
record NatsSettings(
        List<String> servers,
        String bucket,
        String path,
        NatsLogin login,
        NatsTls tls,
        ConnectionSettings connection,
        @Nullable NewBucket newBucket) {

    /**
     * @param maxReconnects failed attempts in a row after which a call no longer waits for the connection; -1 for no
     *     limit but its time-out
     * @param reconnectWait between attempts to replace a broken connection
     * @param reconnectJitter up to which a random time is added to the wait
     * @param timeout of connecting, and of a request
     */
    record ConnectionSettings(
            int maxReconnects,
            Duration reconnectWait,
            Duration reconnectJitter,
            Duration timeout,
            Duration pingInterval,
            int maxPingsOut) {}

    /**
     * @param maxBytes of all objects together; -1 for no limit
     */
    record NewBucket(boolean inMemory, int replicas, long maxBytes) {}

    NatsSettings {
        servers = List.copyOf(servers);
    }

    /** Without secrets. */
    String url() {
        StringBuilder url = new StringBuilder("nats://");
        String separator = "";
        for (String server : servers) {
            url.append(separator).append(server, server.indexOf("://") + 3, server.length());
            separator = ",";
        }
        url.append('/').append(bucket);
        if (!path.isEmpty()) {
            url.append('/').append(path);
        }
        return url.toString();
    }

    @Override
    public String toString() {
        return url();
    }
}
