package org.litestream4j.replica.nats;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;

/**
 * Settings of a client, validated by {@link NatsSettingsParser}.
 *
 * @param servers servers as {@code nats://host:port} or {@code tls://host:port}, without user or password
 * @param path prefix of the object names, without leading and trailing slashes; may be empty
 * @param otherPaths paths at which another program or an earlier version may have the files of this replica
 * @param connection settings of the connection to the servers
 * @param newBucket settings of a bucket to create if it is missing; null if it must exist
 */
record NatsSettings(
        List<String> servers,
        String bucket,
        String path,
        List<String> otherPaths,
        NatsLogin login,
        NatsTls tls,
        ConnectionSettings connection,
        @Nullable NewBucket newBucket) {

    /**
     * @param maxReconnects number of consecutive failed attempts after which a call stops waiting for the
     *     connection; -1 for no limit other than the timeout
     * @param reconnectWait time between attempts to replace a broken connection
     * @param reconnectJitter upper limit of a random time added to the wait
     * @param timeout timeout of connecting and of a request
     */
    record ConnectionSettings(
            int maxReconnects,
            Duration reconnectWait,
            Duration reconnectJitter,
            Duration timeout,
            Duration pingInterval,
            int maxPingsOut) {}

    /** @param maxBytes maximum total size of all objects in bytes; -1 for no limit */
    record NewBucket(boolean inMemory, int replicas, long maxBytes) {}

    NatsSettings {
        servers = List.copyOf(servers);
        otherPaths = List.copyOf(otherPaths);
    }

    /** Returns the address without secrets. */
    String url() {
        StringBuilder url = new StringBuilder("nats://");
        String separator = "";
        for (String server : servers) {
            url.append(separator).append(server, server.indexOf("://") + 3, server.length());
            separator = ",";
        }
        url.append('/').append(bucket);
        if (!path.isEmpty()) {
            url.append('/').append(Redaction.path(path));
        }
        return url.toString();
    }

    @Override
    public String toString() {
        return url();
    }
}
