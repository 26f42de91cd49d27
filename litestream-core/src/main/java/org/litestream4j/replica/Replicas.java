package org.litestream4j.replica;

import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/** Finds the backend of a replica by the scheme of its URL. */
public final class Replicas {

    private Replicas() {}

    /**
     * Creates the client of a replica, without network or file access.
     *
     * @throws IllegalArgumentException if no backend supports the scheme (the message lists the available schemes),
     *     or if a setting is invalid
     */
    public static ReplicaClient open(ReplicaLocation location) {
        return open(location, RequestListener.NONE);
    }

    /**
     * Creates the client of a replica, with a listener for its requests.
     *
     * @param listener receives each request; backends whose requests are not billed may ignore it
     * @throws IllegalArgumentException if no backend supports the scheme (the message lists the available schemes),
     *     or if a setting is invalid
     */
    public static ReplicaClient open(ReplicaLocation location, RequestListener listener) {
        return open(location, listener, List.of());
    }

    /**
     * Creates the client of a replica, with additional backends provided by the application.
     *
     * @param own backends that take precedence over those found, in this order
     * @throws IllegalArgumentException if no backend supports the scheme (the message lists the available schemes),
     *     or if a setting is invalid
     */
    public static ReplicaClient open(
            ReplicaLocation location, RequestListener listener, List<? extends ReplicaProvider> own) {
        String scheme = location.scheme();
        Set<String> known = new TreeSet<>();
        for (ReplicaProvider provider : own) {
            if (provider.schemes().contains(scheme)) {
                return provider.create(location, listener);
            }
            known.addAll(provider.schemes());
        }
        for (ReplicaProvider provider : ServiceLoader.load(ReplicaProvider.class, Replicas.class.getClassLoader())) {
            if (provider.schemes().contains(scheme)) {
                return provider.create(location, listener);
            }
            known.addAll(provider.schemes());
        }
        throw new IllegalArgumentException(
                "no replica backend for URLs that start with \"" + Redaction.scheme(scheme) + ":\"; known are "
                        + known + ": correct the URL, or add the dependency whose jar lists a backend for \""
                        + Redaction.scheme(scheme)
                        + "\" in META-INF/services/" + ReplicaProvider.class.getName());
    }
}
