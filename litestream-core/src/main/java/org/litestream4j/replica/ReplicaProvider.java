package org.litestream4j.replica;

import java.util.Set;

/**
 * A backend: makes clients for the URL schemes that it knows. Found by {@link java.util.ServiceLoader}; a provider whose
 * libraries are missing must still load, and say so in {@link #create}. Thread-safe.
 */
public interface ReplicaProvider {

    /** The URL schemes it serves, in lower case. */
    Set<String> schemes();

    /**
     * Makes a client without any network or file access (that is {@link ReplicaClient#prepare}'s part).
     *
     * @throws IllegalArgumentException naming the setting, its value (unless secret) and what is allowed
     */
    ReplicaClient create(ReplicaLocation location);

    /**
     * The same, with the client's requests counted. A backend whose requests nobody bills may leave the listener aside,
     * as this default does.
     *
     * @throws IllegalArgumentException as {@link #create(ReplicaLocation)}
     */
    default ReplicaClient create(ReplicaLocation location, RequestListener listener) {
        return create(location);
    }
}
