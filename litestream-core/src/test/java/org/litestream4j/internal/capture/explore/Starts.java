package org.litestream4j.internal.capture.explore;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where sequences begin: states that are many actions away from an untouched database. */
final class Starts {

    private static final Map<String, List<Move>> STARTS = starts();

    private Starts() {}

    /** By name. */
    static Map<String, List<Move>> all() {
        return STARTS;
    }

    private static Map<String, List<Move>> starts() {
        Map<String, List<Move>> starts = new LinkedHashMap<>();
        add(starts, "fresh", "");
        add(starts, "captured", "a1 E J I a1 C");
        add(starts, "committed since", "a1 E J I a1 C f1");
        add(starts, "frozen", "a1 E J I a1 C R");
        add(starts, "reset since", "a1 E J I a1 C R a1 C");
        add(starts, "half backfilled", "a1 E J I ar a+ C R aR");
        add(starts, "over the limit", "a1 E J I a+ a+ a+ C ar a1 C R");
        add(starts, "stopped", "a1 E J I a1 C ax Q");
        add(starts, "killed", "a1 E J I a1 C K");
        add(starts, "backfilled meanwhile", "a1 E J I a1 C K f1 fp");
        add(starts, "attached to what was backfilled", "a1 E J I a1 C K f1 fp E");
        add(starts, "reader behind the captured end", "a1 E J I a1 C f1 R");
        add(starts, "checksums of an earlier transaction", "a1 E J I a1 C R P E J a1 C K");
        add(starts, "a page that is again as its old checksum says", "a1 E J I a1 C R P E J a1 C K fb");
        add(starts, "torn by a power cut, and written since", "a1 E J I a1 C K Z f1");
        add(starts, "copied without a capture", "a1 E J I a1 C f1 R R");
        add(starts, "a reader before the last commit", "a1 E J I a1 C ar f1 R");
        add(starts, "snapshot begun", "a1 E J I a1 C R S");
        add(starts, "must take an image", "a1 E J I a1 C K f1 ft E J");
        return starts;
    }

    private static void add(Map<String, List<Move>> starts, String name, String moves) {
        starts.put(name, Move.parse(moves));
    }
}
