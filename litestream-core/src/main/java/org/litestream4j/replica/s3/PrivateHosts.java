package org.litestream4j.replica.s3;

import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Determines whether a host is on this machine or in a private network. Only addresses count; a name proves nothing. */
final class PrivateHosts {

    private static final Pattern ADDRESS = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");

    private PrivateHosts() {}

    /** Returns the host of an address without a scheme, in lower case. */
    static String host(String address) {
        String lower = address.toLowerCase(Locale.ROOT);
        int bracket = lower.indexOf(']');
        return lower.startsWith("[") && bracket > 0
                ? lower.substring(0, bracket + 1)
                : lower.replaceFirst("[:/?#].*", "");
    }

    static boolean isLoopback(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        return lower.equals("localhost")
                || lower.matches("\\[(?:::1|0:0:0:0:0:0:0:1)]")
                || (isAddress(lower) && lower.startsWith("127."));
    }

    static boolean isPrivate(String host) {
        String lower = host.toLowerCase(Locale.ROOT);
        if (isLoopback(lower) || lower.matches("\\[f[cd][0-9a-f]{2}:.*]|\\[fe[89ab][0-9a-f]:.*]")) {
            return true;
        }
        return isAddress(lower)
                && (lower.startsWith("10.")
                        || lower.startsWith("192.168.")
                        || lower.startsWith("169.254.")
                        || lower.matches("172\\.(?:1[6-9]|2\\d|3[01])\\..*"));
    }

    private static boolean isAddress(String host) {
        Matcher matcher = ADDRESS.matcher(host);
        return matcher.matches()
                && Arrays.stream(host.split("\\.", -1))
                        .mapToInt(Integer::parseInt)
                        .allMatch(part -> part <= 255);
    }
}
