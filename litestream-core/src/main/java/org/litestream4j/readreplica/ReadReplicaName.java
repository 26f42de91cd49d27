package org.litestream4j.readreplica;

import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The name of a read replica.
 *
 * @param text the name, or what it begins with
 * @param isGiven whether the application chose it; otherwise it may get a number
 */
record ReadReplicaName(String text, boolean isGiven) {

    /** @param url URL the last part of whose path is the name if the application gave none */
    static ReadReplicaName of(@Nullable String given, String url) {
        if (given != null) {
            return new ReadReplicaName(given, true);
        }
        String path = url.replaceFirst("^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "") // may hold a password
                .replaceFirst("[?#].*", "")
                .replaceFirst("/+$", "");
        String last = path.substring(path.lastIndexOf('/') + 1).replaceAll("[^A-Za-z0-9._-]", "_");
        return new ReadReplicaName(last.isEmpty() ? "replica" : last, false);
    }

    /**
     * Returns the name, or the first one with a number, that is free.
     *
     * @param isFree takes a name and returns whether it was free
     * @throws IllegalStateException if the given name is taken
     */
    String claim(Predicate<String> isFree) {
        if (isFree.test(text)) {
            return text;
        }
        if (isGiven) {
            throw new IllegalStateException("a read replica named " + text + " is open; choose another name");
        }
        int number = 2;
        while (!isFree.test(text + "-" + number)) {
            number++;
        }
        return text + "-" + number;
    }
}
