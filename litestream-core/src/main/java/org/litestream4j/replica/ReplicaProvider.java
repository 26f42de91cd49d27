package org.litestream4j.replica;

import java.util.Set;

/**
 * A backend: creates clients for its URL schemes. Found by {@link java.util.ServiceLoader}. A provider whose libraries
 * are missing must still load; {@link #create} then reports the missing library. Thread-safe.
 */
public interface ReplicaProvider {

    /** Returns the URL schemes of the backend, in lower case. */
    Set<String> schemes();

    /**
     * Creates a client, without network or file access; {@link ReplicaClient#prepare} makes the first access.
     *
     * @throws IllegalArgumentException if a setting is invalid; names the setting, its value (unless secret) and
     *     the allowed values
     */
    ReplicaClient create(ReplicaLocation location);

    /**
     * Creates a client that reports its requests. A backend whose requests are not billed may ignore the listener, as
     * this default does.
     *
     * @throws IllegalArgumentException as {@link #create(ReplicaLocation)}
     */
    default ReplicaClient create(ReplicaLocation location, RequestListener listener) {
        return create(location);
    }
}
