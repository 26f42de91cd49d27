package org.litestream4j.replica.s3;

import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;

/** Creates {@link S3Settings} from a URL, its parameters, and the settings that override them. */
final class S3SettingsParser {

    static final List<String> NAMES = List.of(
            "bucket",
            "path",
            "region",
            "endpoint",
            "force-path-style",
            "access-key-id",
            "secret-access-key",
            "session-token",
            "storage-class",
            "sse-customer-algorithm",
            "sse-customer-key",
            "sse-customer-key-md5",
            "sse-customer-key-path",
            "sse-kms-key-id",
            "part-size",
            "concurrency",
            "skip-verify",
            "sign-payload",
            "require-content-md5",
            "conditional-writes",
            "object-lock-mode",
            "object-lock-retain");

    /** Settings that are already determined by a client of the application. */
    private static final List<String> OF_CONNECTION = List.of(
            "region",
            "endpoint",
            "force-path-style",
            "access-key-id",
            "secret-access-key",
            "session-token",
            "skip-verify",
            "sign-payload",
            "require-content-md5");

    private static final Map<String, String> NAMES_BY_PLAIN =
            NAMES.stream().collect(Collectors.toMap(S3SettingsParser::plain, name -> name));

    private static final Pattern SIZE =
            Pattern.compile("(\\d{1,15}(?:\\.\\d{1,15})?)\\s*([KMG]?)(?:I?B)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})([smhd])", Pattern.CASE_INSENSITIVE);

    private static final Pattern PARAMETER = Pattern.compile("[&;]([A-Za-z0-9_-]+)=");

    private final S3Url url;

    private final Map<String, String> values = new LinkedHashMap<>();

    private S3SettingsParser(ReplicaLocation location) {
        refuseParametersInPath(location.url());
        url = S3Url.parse(location.url());
        url.parameters().forEach(this::putParameter);
        location.settings().forEach(this::put);
    }

    /**
     * @throws IllegalArgumentException if a setting is invalid; names the setting, its value (unless secret) and
     *     the allowed values
     */
    static S3Settings parse(ReplicaLocation location) {
        return new S3SettingsParser(location).settings();
    }

    /**
     * Returns whether the URL or the settings contain connection settings beyond the bucket.
     *
     * @throws IllegalArgumentException if the URL is not an S3 URL, or if a setting is unknown
     */
    static boolean saysHowToConnect(ReplicaLocation location) {
        S3SettingsParser parser = new S3SettingsParser(location);
        boolean byHost = parser.url.region() != null && !parser.url.bucket().startsWith("arn:");
        return byHost || parser.url.endpoint() != null || OF_CONNECTION.stream().anyMatch(parser.values::containsKey);
    }

    /** Rejects a URL whose parameters begin with another character than a question mark, because they are secrets. */
    private static void refuseParametersInPath(String url) {
        int question = url.indexOf('?');
        Matcher parameter = PARAMETER.matcher(question < 0 ? url : url.substring(0, question));
        while (parameter.find()) {
            String known = NAMES_BY_PLAIN.get(plain(parameter.group(1)));
            if (known != null) {
                throw new IllegalArgumentException("S3: the URL has the parameter " + known
                        + " in its path; write ? before the first parameter, or %26 for an & of the path");
            }
        }
    }

    /**
     * Adds a parameter of the URL. Litestream ignores these two parameters in a URL: with them, the same URL would
     * refer to another object.
     */
    private void putParameter(String name, String value) {
        if (List.of("bucket", "path").contains(plain(name)) && !url.bucket().isEmpty() && !value.isBlank()) {
            throw new IllegalArgumentException("S3: the URL has the parameter " + plain(name)
                    + "; write bucket and path before the question mark, or use the settings");
        }
        put(name, value);
    }

    private void put(String name, String value) {
        String known = NAMES_BY_PLAIN.get(plain(name));
        if (known == null) {
            throw new IllegalArgumentException("S3: no such setting: " + Redaction.name(name) + "; known are " + NAMES);
        }
        if (value.isBlank()) {
            values.remove(known); // treated as absent: placeholders may be empty
        } else {
            values.put(known, known.equals("path") ? withoutLineBreaks(value) : value.strip());
        }
    }

    private static String withoutLineBreaks(String path) {
        String plain = path.replaceAll("^[\\r\\n]+|[\\r\\n]+$", "");
        if (plain.chars().anyMatch(Character::isISOControl)) {
            throw bad("path", "with a control character", "one line");
        }
        return plain;
    }

    /** Returns the name without differences in spelling: {@code forcePathStyle}, as in Litestream's URLs, equals kebab case. */
    private static String plain(String name) {
        return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }

    private S3Settings settings() {
        String bucket = values.getOrDefault("bucket", url.bucket());
        if (bucket.isEmpty()) {
            throw new IllegalArgumentException("S3: no bucket; write s3://<bucket>/<path> or set bucket");
        }
        boolean arn = bucket.startsWith("arn:");
        URI endpoint = endpoint(values.getOrDefault("endpoint", url.endpoint()));
        S3Encryption encryption = encryption();
        refuseKeyInClear(encryption, endpoint);
        S3Vendor vendor = S3Vendor.of(endpoint);
        String path = values.get("path");
        return new S3Settings(
                bucket,
                path == null ? url.prefix() : path, // not normalized: Litestream's keys start with the path as written
                path == null ? url.formerPrefix() : UrlPath.clean(path),
                region(bucket, endpoint),
                endpoint,
                !arn && flag("force-path-style", vendor.pathStyle()),
                keys(),
                values.get("storage-class"),
                encryption,
                size("part-size", S3Settings.MIN_PART_SIZE),
                number("concurrency", vendor.concurrency()),
                flag("skip-verify", false),
                flag("sign-payload", true),
                flag("require-content-md5", vendor.contentMd5()),
                conditionalWrites(),
                objectLock());
    }

    private static void refuseKeyInClear(S3Encryption encryption, @Nullable URI endpoint) {
        if (encryption.byCustomerKey()
                && endpoint != null
                && "http".equals(endpoint.getScheme())
                && !PrivateHosts.isLoopback(endpoint.getHost())) {
            throw new IllegalArgumentException("S3: the customer's own key would travel in clear to " + endpoint
                    + ": each request carries it. Use an endpoint with https://");
        }
    }

    private @Nullable String region(String bucket, @Nullable URI endpoint) {
        String region = values.getOrDefault("region", url.region());
        if (region == null && bucket.startsWith("arn:")) {
            String[] parts = bucket.split(":", -1);
            if (parts.length < 6 || parts[3].isEmpty()) {
                throw new IllegalArgumentException("S3: access point without a region: " + Redaction.url(bucket)
                        + "; multi-region access points are not supported, name one of a region");
            }
            return parts[3];
        }
        return region == null && endpoint != null ? S3Vendor.of(endpoint).region(endpoint) : region;
    }

    /**
     * Returns the endpoint. Without a scheme, plain HTTP is used only for addresses of this machine and of private
     * networks, never for names.
     */
    private static @Nullable URI endpoint(@Nullable String text) {
        if (text == null) {
            return null;
        }
        String full = text;
        if (!text.contains("://")) {
            full = (PrivateHosts.isPrivate(PrivateHosts.host(text)) ? "http://" : "https://") + text;
        }
        try {
            URI uri = URI.create(full);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (http && uri.getHost() != null && uri.getUserInfo() == null && uri.getQuery() == null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // the same message, because the text may contain a password
        }
        throw new IllegalArgumentException(
                "S3: bad endpoint; allowed: http://host[:port] or https://host[:port], without user, password or query");
    }

    private @Nullable AccessKeys keys() {
        String id = values.get("access-key-id");
        String secret = values.get("secret-access-key");
        String token = values.get("session-token");
        if (id == null && secret == null && token == null) {
            return null;
        }
        if (id == null || secret == null) {
            throw new IllegalArgumentException("S3: " + (id == null ? "access-key-id" : "secret-access-key")
                    + " is missing; set both, or neither to use the SDK's default credentials chain");
        }
        return new AccessKeys(id, new Secret(secret), token == null ? null : new Secret(token));
    }

    private S3Encryption encryption() {
        String algorithm = values.get("sse-customer-algorithm");
        if (algorithm != null && !algorithm.equals("AES256")) {
            throw bad("sse-customer-algorithm", algorithm, "AES256");
        }
        String key = values.get("sse-customer-key");
        if (key != null && !isCustomerKey(key)) {
            throw bad("sse-customer-key", "(secret)", "32 bytes in base64");
        }
        String md5 = values.get("sse-customer-key-md5");
        if (md5 != null && (key == null || !md5.equals(S3Requests.customerKeyMd5(key)))) {
            throw bad("sse-customer-key-md5", "(secret)", "the MD5 of sse-customer-key, in base64; not needed");
        }
        S3Encryption encryption = new S3Encryption(
                key == null ? null : new Secret(key),
                values.get("sse-customer-key-path"),
                values.get("sse-kms-key-id"));
        if (algorithm != null && !encryption.byCustomerKey()) {
            throw bad("sse-customer-algorithm", algorithm, "only with sse-customer-key or sse-customer-key-path");
        }
        return encryption;
    }

    static boolean isCustomerKey(String base64) {
        try {
            byte[] key = Base64.getDecoder().decode(base64);
            boolean right = key.length == 32;
            Arrays.fill(key, (byte) 0);
            return right;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private ConditionalWrites conditionalWrites() {
        String value = values.getOrDefault("conditional-writes", "auto").toLowerCase(Locale.ROOT);
        return switch (value) {
            case "auto" -> ConditionalWrites.AUTO;
            case "on", "true" -> ConditionalWrites.ON; // YAML parses a bare "on" as true
            case "off", "false" -> ConditionalWrites.OFF;
            default -> throw bad("conditional-writes", value, "auto, on, off");
        };
    }

    private @Nullable ObjectLock objectLock() {
        String mode = values.get("object-lock-mode");
        String retain = values.get("object-lock-retain");
        if (mode == null && retain == null) {
            return null;
        }
        if (mode == null || retain == null) {
            throw new IllegalArgumentException("S3: " + (mode == null ? "object-lock-mode" : "object-lock-retain")
                    + " is missing; set both, or neither");
        }
        Duration time = duration("object-lock-retain", retain);
        if (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(ObjectLock.MAX_RETAIN) > 0) {
            throw bad("object-lock-retain", retain, "1s to " + ObjectLock.MAX_RETAIN.toDays() + "d");
        }
        return switch (mode.toLowerCase(Locale.ROOT)) {
            case "compliance" -> new ObjectLock(ObjectLock.Mode.COMPLIANCE, time);
            case "governance" -> new ObjectLock(ObjectLock.Mode.GOVERNANCE, time);
            default -> throw bad("object-lock-mode", mode, "compliance, governance");
        };
    }

    /** Returns a duration: a number with the unit s, m, h or d, or ISO 8601. */
    private static Duration duration(String name, String value) {
        Matcher matcher = DURATION.matcher(value);
        try {
            if (!matcher.matches()) {
                return Duration.parse(value);
            }
            long number = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        } catch (DateTimeParseException e) {
            throw bad(name, value, "a number with the unit s, m, h or d, such as 30d");
        }
    }

    private boolean flag(String name, boolean byDefault) {
        String value = values.get(name);
        if (value == null) {
            return byDefault;
        }
        return switch (value.toLowerCase(Locale.ROOT)) {
            case "true", "1", "t", "yes", "on" -> true;
            case "false", "0", "f", "no", "off" -> false;
            default -> throw bad(name, value, "true, false");
        };
    }

    private int number(String name, int byDefault) {
        String value = values.get(name);
        if (value == null) {
            return byDefault;
        }
        if (!value.matches("\\d{1,9}")) {
            throw bad(name, value, "a whole number");
        }
        return Integer.parseInt(value);
    }

    /**
     * Returns a number of bytes, optionally with a unit based on 1024: {@code 7.5MiB}, {@code 7.5MB} and {@code 7.5M}
     * are equal.
     */
    private int size(String name, int byDefault) {
        String value = values.get(name);
        if (value == null) {
            return byDefault;
        }
        Matcher matcher = SIZE.matcher(value);
        if (!matcher.matches()) {
            throw bad(name, value, "bytes, or a number with KiB, MiB or GiB");
        }
        int shift = 10 * (1 + "KMG".indexOf(matcher.group(2).toUpperCase(Locale.ROOT)));
        shift = matcher.group(2).isEmpty() ? 0 : shift;
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(1L << shift));
        if (bytes.compareTo(BigDecimal.valueOf(S3Settings.MAX_PART_SIZE)) > 0) {
            throw bad(name, value, "5MiB to 1GiB");
        }
        return bytes.intValue();
    }

    private static IllegalArgumentException bad(String name, String value, String allowed) {
        return new IllegalArgumentException("S3: bad " + name + ": "
                + (value.equals("(secret)") ? value : Redaction.value(value)) + "; allowed: " + allowed);
    }
}
