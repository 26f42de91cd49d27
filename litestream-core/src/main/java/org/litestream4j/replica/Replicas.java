package org.litestream4j.replica;

import java.util.List;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;

/** Finds the backend of a replica by its URL's scheme. */
public final class Replicas {

    private Replicas() {}

    /**
     * Makes the client of a replica; no network or file access yet.
     *
     * @throws IllegalArgumentException if no backend serves the scheme (naming those that are there), or a setting is
     *     wrong
     */
    public static ReplicaClient open(ReplicaLocation location) {
        return open(location, RequestListener.NONE);
    }

    /**
     * Makes the client of a replica that reports its requests.
     *
     * @param listener told of each request; backends without requests of that kind may leave it aside
     * @throws IllegalArgumentException if no backend serves the scheme (naming those that are there), or a setting is
     *     wrong
     */
    public static ReplicaClient open(ReplicaLocation location, RequestListener listener) {
        return open(location, listener, List.of());
    }

    /**
     * The same, with backends that the application made itself.
     *
     * @param own asked before those that are found, in this order
     * @throws IllegalArgumentException if no backend serves the scheme (naming those that are there), or a setting is
     *     wrong
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
