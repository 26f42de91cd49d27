package org.litestream4j.replica.s3;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Stores that speak the protocol, as far as they differ: known by the host of their endpoint. */
enum S3Vendor {
    AWS("(?:.+\\.)?s3(?:\\.dualstack|-fips)?\\.([a-z0-9-]+)\\.amazonaws\\.com(?:\\.cn)?", "us-east-1", Style.HOST),
    CLOUDFLARE(".+\\.r2\\.cloudflarestorage\\.com", "auto", Style.PATH),
    BACKBLAZE("(?:.+\\.)?s3\\.([^.]+)\\.backblazeb2\\.com", "us-west-001", Style.PATH),
    DIGITALOCEAN("(?:.+\\.)?([^.]+)\\.digitaloceanspaces\\.com", "us-east-1", Style.HOST),
    SCALEWAY("(?:.+\\.)?s3\\.([^.]+)\\.scw\\.cloud", "fr-par", Style.PATH),
    HETZNER("(?:.+\\.)?([^.]+)\\.your-objectstorage\\.com", "us-east-1", Style.PATH),
    TIGRIS("(?:.+\\.)?(?:fly\\.storage\\.tigris\\.dev|t3\\.storage\\.dev)", "auto", Style.HOST),
    FILEBASE("(?:.+\\.)?s3\\.filebase\\.(?:com|io)", "us-east-1", Style.PATH),
    SUPABASE(".+\\.supabase\\.co", "us-east-1", Style.PATH),
    GOOGLE("(?:[^.]+-)?storage(?:-[^.]+)?\\.(?:.+\\.)?googleapis\\.com", "auto", Style.PATH),
    /** MinIO, Ceph, Garage, a proxy: whatever stands behind an endpoint of one's own. */
    OTHER(".*", "us-east-1", Style.PATH);

    private enum Style {
        HOST,
        PATH
    }

    private final Pattern host;

    private final String region;

    private final Style style;

    S3Vendor(String host, String region, Style style) {
        this.host = Pattern.compile(host);
        this.region = region;
        this.style = style;
    }

    /** @param endpoint null is AWS */
    static S3Vendor of(@Nullable URI endpoint) {
        if (endpoint == null) {
            return AWS;
        }
        String host = host(endpoint);
        if (host.endsWith(".amazonaws.com")) { // also those whose region we cannot read, such as VPC endpoints
            return AWS;
        }
        for (S3Vendor vendor : values()) {
            if (vendor.host.matcher(host).matches()) {
                return vendor;
            }
        }
        return OTHER;
    }

    private static String host(URI endpoint) {
        return endpoint.getHost() == null ? "" : endpoint.getHost().toLowerCase(Locale.ROOT);
    }

    /** The region to sign for: the one that the endpoint names, or what the store takes. */
    String region(URI endpoint) {
        Matcher matcher = host.matcher(host(endpoint));
        return matcher.matches() && matcher.groupCount() == 1 && matcher.group(1) != null ? matcher.group(1) : region;
    }

    /** Whether the bucket stands in the path rather than in the host name. */
    boolean pathStyle() {
        return style == Style.PATH;
    }

    /** Parts of one file uploaded at once: R2 refuses more than a few requests at a time. */
    int concurrency() {
        return this == CLOUDFLARE ? 2 : 3;
    }

    /** Whether a delete of several keys wants {@code Content-MD5}, as the protocol's first version asked for. */
    boolean contentMd5() {
        return this != AWS && this != TIGRIS;
    }

    /** Whether {@code If-None-Match: *} is part of what the store promises; of others, each client finds out. */
    boolean refusesTakenNames() {
        return this == AWS;
    }

    boolean bulkDelete() {
        return this != GOOGLE;
    }
}
