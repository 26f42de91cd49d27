package org.litestream4j.replica.nats;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.nats.NatsSettings.ConnectionSettings;
import org.litestream4j.replica.nats.NatsSettings.NewBucket;

/** Creates {@link NatsSettings} from a URL, its parameters, and the settings that override them. */
final class NatsSettingsParser {

    static final List<String> NAMES = List.of(
            "urls",
            "bucket",
            "path",
            "username",
            "password",
            "token",
            "nkey",
            "jwt",
            "seed",
            "creds",
            "tls",
            "root-cas",
            "client-cert",
            "client-key",
            "max-reconnects",
            "reconnect-wait",
            "reconnect-jitter",
            "timeout",
            "ping-interval",
            "max-pings-out",
            "create-bucket",
            "storage",
            "replicas",
            "max-bytes");

    private static final Pattern BUCKET = Pattern.compile("[A-Za-z0-9_-]+");

    private static final Pattern SERVER =
            Pattern.compile("(?:(nats|tls)://)?((?:[^\\s/?#@:\\[\\],]+|\\[[0-9A-Fa-f:.]+])(?::(\\d{1,5}))?)/?");

    private static final Pattern PARAMETER = Pattern.compile("[&;]([a-z-]+)=");

    private static final Pattern TIME = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

    private static final Pattern SIZE = Pattern.compile("(\\d{1,18})\\s*([KMGT]?)(?:I?B)?", Pattern.CASE_INSENSITIVE);

    private final Map<String, String> values = new HashMap<>();

    /** Paths at which Litestream, or an earlier version of this library, has the files of this replica. */
    private final Set<String> otherPaths = new LinkedHashSet<>();

    private NatsSettingsParser(ReplicaLocation location) {
        String url = location.url();
        String rest = url.substring(url.indexOf(':') + 1);
        if (!rest.startsWith("//")) {
            throw new IllegalArgumentException("NATS: bad replica URL; write nats://host:4222/bucket");
        }
        int query = rest.indexOf('?');
        String address = query < 0 ? rest.substring(2) : rest.substring(2, query);
        if (address.indexOf('#') >= 0) {
            throw new IllegalArgumentException(
                    "NATS: the replica URL has a #; write %23, or set username, password or path");
        }
        if (query >= 0 && rest.indexOf('#', query) >= 0) {
            throw new IllegalArgumentException("NATS: the replica URL has a # in its parameters; write %23");
        }
        refuseParametersInPath(address);
        int slash = address.indexOf('/');
        readAuthority(slash < 0 ? address : address.substring(0, slash));
        readPath(slash < 0 ? "" : decode(address.substring(slash)), location);
        if (query >= 0) {
            for (String parameter : rest.substring(query + 1).split("&", -1)) {
                int equals = parameter.indexOf('=');
                if (equals > 0) {
                    put(decode(parameter.substring(0, equals)), decode(parameter.substring(equals + 1)));
                } else if (!parameter.isEmpty()) {
                    throw new IllegalArgumentException("NATS: a parameter of the replica URL has no value");
                }
            }
        }
        location.settings().forEach(this::put);
        if (!location.settings().getOrDefault("path", "").isBlank()) {
            otherPaths.add(""); // Litestream ignores the setting
        }
    }

    /**
     * @throws IllegalArgumentException if a setting is invalid; names the setting, its value (unless secret) and
     *     the allowed values
     */
    static NatsSettings parse(ReplicaLocation location) {
        return new NatsSettingsParser(location).settings();
    }

    /** Rejects an address whose parameters begin with another character than a question mark, because they are secrets. */
    private static void refuseParametersInPath(String address) {
        Matcher parameter = PARAMETER.matcher(address);
        while (parameter.find()) {
            if (NAMES.contains(parameter.group(1))) {
                throw new IllegalArgumentException("NATS: the replica URL has the parameter " + parameter.group(1)
                        + " in its path; write ? before the first parameter, or %26 for an & of the path");
            }
        }
    }

    private void readAuthority(String authority) {
        int at = authority.lastIndexOf('@');
        if (at >= 0) {
            String user = authority.substring(0, at);
            int colon = user.indexOf(':');
            if (colon < 0) {
                put("token", decode(user));
            } else {
                put("username", decode(user.substring(0, colon)));
                put("password", decode(user.substring(colon + 1)));
            }
        }
        put("urls", authority.substring(at + 1));
    }

    /** Reads bucket and path. Litestream removes "." and ".." too. */
    private void readPath(String path, ReplicaLocation location) {
        String clean = UrlPath.clean(path);
        if (clean.isEmpty()) {
            return;
        }
        int slash = clean.indexOf('/');
        String bucket = slash < 0 ? clean : clean.substring(0, slash);
        String other = location.settings().getOrDefault("bucket", bucket).strip();
        if (!other.isEmpty() && !other.equals(bucket)) {
            throw new IllegalArgumentException("NATS: the replica URL names the bucket " + Redaction.value(bucket)
                    + ", but the setting bucket says " + Redaction.value(other) + "; name it in one of the two");
        }
        put("bucket", bucket);
        put("path", slash < 0 ? "" : clean.substring(slash + 1));
        String uncleaned = withoutExtraSlashes(path);
        if (uncleaned.startsWith(bucket + "/")) {
            otherPaths.add(uncleaned.substring(bucket.length() + 1));
        }
    }

    private void put(String name, String value) {
        if (!NAMES.contains(name)) {
            throw new IllegalArgumentException(
                    "NATS: no such setting: " + Redaction.name(name) + "; known are " + NAMES);
        }
        if (!value.isBlank()) { // placeholders may be empty
            values.put(name, value.strip());
        }
    }

    private NatsSettings settings() {
        String bucket = values.get("bucket");
        if (bucket == null) {
            throw new IllegalArgumentException("NATS: no bucket; write nats://host:4222/<bucket> or set bucket");
        }
        if (!BUCKET.matcher(bucket).matches()) {
            throw bad("bucket", bucket, "letters, digits, - and _");
        }
        List<String> rootCas = list("root-cas");
        Path clientCert = file("client-cert");
        Path clientKey = file("client-key");
        if ((clientCert == null) != (clientKey == null)) {
            throw new IllegalArgumentException("NATS: " + (clientCert == null ? "client-cert" : "client-key")
                    + " is missing; set both, or neither");
        }
        List<String> servers = servers();
        boolean tls = flag("tls")
                || !rootCas.isEmpty()
                || clientCert != null
                || servers.stream().anyMatch(server -> server.startsWith("tls:"));
        String path = withoutExtraSlashes(values.getOrDefault("path", ""));
        List<Path> cas = rootCas.stream().map(ca -> asPath("root-cas", ca)).toList();
        return new NatsSettings(
                servers,
                bucket,
                path,
                otherPaths.stream().filter(other -> !other.equals(path)).toList(),
                login(),
                new NatsTls(tls, cas, clientCert, clientKey),
                new ConnectionSettings(
                        values.getOrDefault("max-reconnects", "-1").equals("-1") ? -1 : (int) number("max-reconnects"),
                        time("reconnect-wait", Duration.ofSeconds(2)),
                        time("reconnect-jitter", Duration.ofMillis(100)),
                        positive("timeout", Duration.ofSeconds(10)),
                        positive("ping-interval", Duration.ofMinutes(2)),
                        values.containsKey("max-pings-out") ? (int) number("max-pings-out") : 2),
                newBucket());
    }

    private List<String> servers() {
        List<String> servers = new ArrayList<>();
        for (String text : list("urls")) {
            Matcher matcher = SERVER.matcher(text);
            if (!matcher.matches() || (matcher.group(3) != null && Integer.parseInt(matcher.group(3)) > 65535)) {
                throw new IllegalArgumentException("NATS: bad server address; allowed: host, host:port,"
                        + " nats://host:port or tls://host:port, several separated by commas; name user and password"
                        + " in username and password");
            }
            String scheme = matcher.group(1) == null ? "nats" : matcher.group(1);
            servers.add(scheme + "://" + matcher.group(2) + (matcher.group(3) == null ? ":4222" : ""));
        }
        if (servers.isEmpty()) {
            throw new IllegalArgumentException("NATS: no server; write nats://host:4222/<bucket> or set urls");
        }
        return servers;
    }

    private NatsLogin login() {
        return new NatsLogin(
                values.get("username"),
                Secret.of(values.get("password")),
                Secret.of(values.get("token")),
                Secret.of(values.get("nkey")),
                Secret.of(values.get("jwt")),
                Secret.of(values.get("seed")),
                file("creds"));
    }

    private @Nullable NewBucket newBucket() {
        if (!flag("create-bucket")) {
            for (String name : List.of("storage", "replicas", "max-bytes")) {
                if (values.containsKey(name)) {
                    throw new IllegalArgumentException("NATS: " + name
                            + " applies only to a bucket that the client creates; set create-bucket=true"
                            + " too, or change the bucket itself");
                }
            }
            return null;
        }
        String storage = values.getOrDefault("storage", "file").toLowerCase(Locale.ROOT);
        if (!storage.equals("file") && !storage.equals("memory")) {
            throw bad("storage", storage, "file, memory");
        }
        long replicas = values.containsKey("replicas") ? number("replicas") : 1;
        if (replicas < 1 || replicas > 5) {
            throw bad("replicas", Long.toString(replicas), "1 to 5");
        }
        return new NewBucket(storage.equals("memory"), (int) replicas, size("max-bytes"));
    }

    private List<String> list(String name) {
        List<String> list = new ArrayList<>();
        for (String item : values.getOrDefault(name, "").split(",", -1)) {
            if (!item.isBlank()) {
                list.add(item.strip());
            }
        }
        return list;
    }

    private @Nullable Path file(String name) {
        String value = values.get(name);
        return value == null ? null : asPath(name, value);
    }

    private static Path asPath(String name, String value) {
        try {
            return Path.of(value);
        } catch (InvalidPathException e) { // the value may be the file's content: not in the message
            throw new IllegalArgumentException("NATS: bad " + name + "; allowed: the path of a file");
        }
    }

    private boolean flag(String name) {
        String value = values.getOrDefault(name, "false").toLowerCase(Locale.ROOT);
        return switch (value) {
            case "true", "1", "yes", "on" -> true;
            case "false", "0", "no", "off" -> false;
            default -> throw bad(name, value, "true, false");
        };
    }

    private long number(String name) {
        String value = values.getOrDefault(name, "");
        if (!value.matches("\\d{1,9}")) {
            throw bad(name, value, "a whole number");
        }
        return Long.parseLong(value);
    }

    private Duration positive(String name, Duration byDefault) {
        Duration value = time(name, byDefault);
        if (value.isZero()) {
            throw bad(name, "0", "more than 0");
        }
        return value;
    }

    /** Returns a duration: {@code 500ms}, {@code 2s}, {@code 5m}, {@code 1h}, or ISO 8601. */
    private Duration time(String name, Duration byDefault) {
        String value = values.get(name);
        if (value == null) {
            return byDefault;
        }
        Matcher matcher = TIME.matcher(value);
        try {
            Duration time = matcher.matches()
                    ? Duration.parse(matcher.group(2).equals("ms") ? "PT0S" : "PT" + value.toUpperCase(Locale.ROOT))
                    : Duration.parse(value);
            if (matcher.matches() && matcher.group(2).equals("ms")) {
                time = Duration.ofMillis(Long.parseLong(matcher.group(1)));
            }
            if (!time.isNegative()) {
                return time;
            }
        } catch (DateTimeParseException e) {
            // the same message
        }
        throw bad(name, value, "a time such as 500ms, 2s or PT2S");
    }

    /**
     * Returns a number of bytes, optionally with a unit based on 1024: {@code 8GiB}, {@code 8GB} and {@code 8G} are
     * equal; -1 if not set.
     */
    private long size(String name) {
        String value = values.get(name);
        if (value == null || value.equals("-1")) {
            return -1;
        }
        Matcher matcher = SIZE.matcher(value);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            String unit = matcher.group(2).toUpperCase(Locale.ROOT);
            int shift = unit.isEmpty() ? 0 : 10 * (1 + "KMGT".indexOf(unit));
            if (number > 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        }
        throw bad(name, value, "bytes, or a number with KiB, MiB, GiB or TiB; -1 for no limit");
    }

    private static String withoutExtraSlashes(String path) {
        return path.replaceAll("/{2,}", "/").replaceAll("^/|/$", "");
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) { // may contain a password: not in the message
            throw new IllegalArgumentException(
                    "NATS: the replica URL has a % that is not followed by two hex digits; write %25 for a percent sign");
        }
    }

    private static IllegalArgumentException bad(String name, String value, String allowed) {
        return new IllegalArgumentException(
                "NATS: bad " + name + ": " + Redaction.value(value) + "; allowed: " + allowed);
    }
}
