package org.litestream4j.internal.capture.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The states that SQLite counted as committed, in order; no two have the same content. */
final class History {

    private final Map<String, Integer> places = new HashMap<>();
    private final List<String> causes = new ArrayList<>();
    private String current = "";

    /**
     * Adds a state unless it is the present one.
     *
     * @param cause the action that led to it
     */
    void add(String hash, String cause) {
        if (!hash.equals(current)) {
            places.put(hash, causes.size());
            causes.add(cause);
            current = hash;
        }
    }

    String current() {
        return current;
    }

    /** Where a state stands in the order; negative if it never was one. */
    int place(String hash) {
        return places.getOrDefault(hash, -1);
    }

    /** Where the present state stands in the order. */
    int place() {
        return causes.size() - 1;
    }

    /** How many states there were. */
    int size() {
        return causes.size();
    }

    String describe(String hash) {
        int place = place(hash);
        return place < 0 ? "no state that ever was" : "state " + place + " (" + causes.get(place) + ")";
    }
}
