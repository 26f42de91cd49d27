package org.litestream4j.spring;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.litestream4j.replica.ReplicaLocation;

/** Locations of replicas below other locations. */
final class ReplicaLocations {

    private static final String UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";

    private ReplicaLocations() {}

    /**
     * Returns a location below another.
     *
     * @param path relative path, with slashes, not encoded
     */
    static ReplicaLocation below(ReplicaLocation place, String path) {
        Map<String, String> settings = new HashMap<>(place.settings());
        if (settings.containsKey("path")) { // overrides the URL's
            settings.computeIfPresent("path", (key, value) -> value + "/" + path);
            return new ReplicaLocation(place.url(), settings);
        }
        String url = place.url();
        int end = url.indexOf('?');
        String address = end < 0 ? url : url.substring(0, end);
        String rest = end < 0 ? "" : url.substring(end);
        return new ReplicaLocation(address.replaceAll("/+$", "") + "/" + encode(path) + rest, settings);
    }

    private static String encode(String path) {
        StringBuilder encoded = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            if (b > 0 && UNRESERVED.indexOf(b) >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append(String.format("%%%02X", b));
            }
        }
        return encoded.toString();
    }
}
