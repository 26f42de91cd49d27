package org.litestream4j.replica.s3;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Differences between the stores that implement the protocol. A store is recognized by the host of its endpoint. */
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
    /** MinIO, Ceph, Garage, a proxy, or any other custom endpoint. */
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

    /** @param endpoint endpoint; null for AWS */
    static S3Vendor of(@Nullable URI endpoint) {
        if (endpoint == null) {
            return AWS;
        }
        String host = host(endpoint);
        if (host.endsWith(".amazonaws.com")) { // includes hosts whose region cannot be parsed, such as VPC endpoints
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

    /** Returns the region for signatures: the region contained in the endpoint, or one that the store accepts. */
    String region(URI endpoint) {
        Matcher matcher = host.matcher(host(endpoint));
        return matcher.matches() && matcher.groupCount() == 1 && matcher.group(1) != null ? matcher.group(1) : region;
    }

    /** Returns whether the bucket is in the path instead of the host name. */
    boolean pathStyle() {
        return style == Style.PATH;
    }

    /** Returns the number of parts of one file uploaded concurrently; R2 rejects more than a few concurrent requests. */
    int concurrency() {
        return this == CLOUDFLARE ? 2 : 3;
    }

    /** Returns whether deleting several keys requires {@code Content-MD5}, as in the first version of the protocol. */
    boolean contentMd5() {
        return this != AWS && this != TIGRIS;
    }

    /** Returns whether the store documents support for {@code If-None-Match: *}; for other stores, each client determines it. */
    boolean refusesTakenNames() {
        return this == AWS;
    }

    boolean bulkDelete() {
        return this != GOOGLE;
    }
}
