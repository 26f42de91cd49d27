package org.litestream4j.replica.s3;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.files.UrlPath;

/**
 * A parsed replica URL: {@code s3://<bucket>/<path>?<parameters>}. In place of the bucket, the URL may contain the ARN
 * of an access point, or a host name that contains bucket and region, as displayed by stores.
 *
 * @param bucket name of the bucket; empty if the URL has none
 * @param prefix prefix of the keys: the path without leading and trailing slashes; "." if the URL ends after the
 *     bucket
 * @param formerPrefix prefix that an earlier version of this library derived from this URL; usually identical
 * @param region region contained in the host or ARN; otherwise null
 * @param endpoint endpoint contained in the host, with a scheme if known; otherwise null
 * @param parameters decoded parameters, in their order
 */
record S3Url(
        String bucket,
        String prefix,
        String formerPrefix,
        @Nullable String region,
        @Nullable String endpoint,
        Map<String, String> parameters) {

    private static final Pattern ARN =
            Pattern.compile("(arn:[^/:]+:s3:([^/:]*):[^/:]*:accesspoint/[^/]+)(/.*)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern AWS_HOST =
            Pattern.compile("(.+)\\.s3(?:[.-]([a-z0-9-]+))?\\.amazonaws\\.com", Pattern.CASE_INSENSITIVE);

    /** Matches the bucket and the rest of a host of a known store. */
    private static final Pattern STORE_HOST = Pattern.compile(
            "([^.]+)\\.("
                    + "[^.]+\\.digitaloceanspaces\\.com"
                    + "|s3\\.[^.]+\\.backblazeb2\\.com"
                    + "|s3\\.filebase\\.com"
                    + "|s3\\.[^.]+\\.scw\\.cloud"
                    + "|[^.]+\\.your-objectstorage\\.com"
                    + "|fly\\.storage\\.tigris\\.dev|t3\\.storage\\.dev"
                    + "|[^.]+\\.r2\\.cloudflarestorage\\.com)",
            Pattern.CASE_INSENSITIVE);

    /** Matches a user or a password, which may contain slashes. */
    private static final Pattern LOGIN = Pattern.compile("[^/@]*@|[^/@]*:[^@]*@");

    /** Matches the bucket, host and port of a self-hosted store. */
    private static final Pattern PORT_HOST = Pattern.compile("([^.]+)\\.([^:]+:\\d+)");

    S3Url {
        parameters = Map.copyOf(parameters);
    }

    /** @throws IllegalArgumentException if the URL is invalid; the message does not contain it, because it may contain secrets */
    static S3Url parse(String url) {
        int question = url.indexOf('?');
        if (question >= 0 && url.indexOf('#', question) >= 0) {
            throw new IllegalArgumentException("S3: the URL has a # in its parameters; write %23");
        }
        Map<String, String> parameters = question < 0 ? Map.of() : parameters(url.substring(question + 1));
        String address = question < 0 ? url : url.substring(0, question);
        address = address.substring(address.indexOf(':') + 1);
        address = address.startsWith("//") ? address.substring(2) : address;
        Matcher arn = ARN.matcher(address);
        if (arn.matches()) {
            String region = arn.group(2).isEmpty() ? null : arn.group(2);
            String path = arn.group(3) == null ? "" : arn.group(3);
            return new S3Url(arn.group(1), prefix(path), formerPrefix(path), region, null, parameters);
        }
        int slash = address.indexOf('/');
        String host = slash < 0 ? address : address.substring(0, slash);
        if (LOGIN.matcher(address).lookingAt() && !PORT_HOST.matcher(host).matches()) {
            throw new IllegalArgumentException(
                    "S3: a URL of this kind has no user and password; use access-key-id and secret-access-key");
        }
        if (slash < 0) {
            String prefix = host.isEmpty() ? "" : ".";
            return ofHost(host, prefix, prefix, parameters);
        }
        String path = address.substring(slash);
        return ofHost(host, prefix(path), formerPrefix(path), parameters);
    }

    private static String prefix(String path) {
        if (path.indexOf('#') >= 0) {
            throw new IllegalArgumentException(
                    "S3: the URL has a # in its path; write %23, or name the path by the setting path");
        }
        try {
            return UrlPath.clean(UrlPath.decode(path));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("S3: the URL holds " + e.getMessage(), e);
        }
    }

    /** Returns the prefix derived by earlier versions, which decoded a plus sign as a space. */
    private static String formerPrefix(String path) {
        return UrlPath.clean(decode(path));
    }

    /** Parses a host name. The bucket keeps its case; hosts do not. */
    private static S3Url ofHost(String host, String prefix, String former, Map<String, String> parameters) {
        Matcher aws = AWS_HOST.matcher(host);
        if (aws.matches()) {
            return new S3Url(aws.group(1), prefix, former, lower(aws.group(2)), null, parameters);
        }
        Matcher store = STORE_HOST.matcher(host);
        if (store.matches()) {
            URI endpoint = URI.create("https://" + lower(store.group(2)));
            String region = S3Vendor.of(endpoint).region(endpoint);
            return new S3Url(store.group(1), prefix, former, region, endpoint.toString(), parameters);
        }
        Matcher port = PORT_HOST.matcher(host);
        if (port.matches()) {
            return new S3Url(port.group(1), prefix, former, null, lower(port.group(2)), parameters);
        }
        return new S3Url(host, prefix, former, null, null, parameters);
    }

    private static @Nullable String lower(@Nullable String text) {
        return text == null ? null : text.toLowerCase(Locale.ROOT);
    }

    private static Map<String, String> parameters(String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            String name = decode(equals < 0 ? pair : pair.substring(0, equals));
            if (!name.isEmpty()) {
                parameters.putIfAbsent(name, equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return parameters;
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("S3: the URL holds a % that two hex digits do not follow");
        }
    }

    /** Returns a text without the parameters, which may be secrets. */
    @Override
    public String toString() {
        return "s3://" + bucket + "/" + prefix;
    }
}
