package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;

/**
 * Address and connection settings of a replica in S3.
 *
 * @param bucket name of the bucket, or ARN of an access point
 * @param prefix prefix of all keys, before {@code /<level>/<name>}; may be empty or "." (ltx-format, "Where the
 *     files stand")
 * @param formerPrefix prefix under which an earlier version of this library stored the files; usually identical
 * @param region region; null only without an endpoint, in which case the bucket's region is determined by a request
 * @param endpoint endpoint with scheme, without the bucket of path style; null for AWS
 * @param keys access keys; null for the SDK's default chain
 * @param storageClass storage class; null for the bucket's default
 * @param partSize size in bytes, from 5 MiB to 1 GiB: smaller files are sent by one request, larger files in parts
 *     of this size
 * @param concurrency number of parts of this replica sent concurrently, 1 to 64
 * @param skipVerify whether any certificate is accepted
 * @param objectLock lock that each file gets; null if files are not locked
 */
record S3Settings(
        String bucket,
        String prefix,
        String formerPrefix,
        @Nullable String region,
        @Nullable URI endpoint,
        boolean pathStyle,
        @Nullable AccessKeys keys,
        @Nullable String storageClass,
        S3Encryption encryption,
        int partSize,
        int concurrency,
        boolean skipVerify,
        boolean signPayload,
        boolean contentMd5,
        ConditionalWrites conditionalWrites,
        @Nullable ObjectLock objectLock) {

    static final int MIN_PART_SIZE = 5 << 20;

    static final int MAX_PART_SIZE = 1 << 30;

    static final int MAX_CONCURRENCY = 64;

    /** @throws IllegalArgumentException if a setting is invalid; names the setting, its value and the allowed values */
    S3Settings {
        requireNonNull(prefix, "prefix");
        requireNonNull(encryption, "encryption");
        requireNonNull(conditionalWrites, "conditionalWrites");
        boolean named = bucket.startsWith("arn:") || bucket.matches("[A-Za-z0-9][A-Za-z0-9._-]{2,62}");
        check(named, "bucket", bucket, "3 to 63 letters, digits, dots and hyphens, or an access point's ARN");
        check(partSize >= MIN_PART_SIZE && partSize <= MAX_PART_SIZE, "part-size", partSize, "5MiB to 1GiB");
        check(concurrency >= 1 && concurrency <= MAX_CONCURRENCY, "concurrency", concurrency, "1 to 64");
        check(region == null || region.matches("[A-Za-z0-9-]+"), "region", region, "letters, digits and hyphens");
        check(region != null || endpoint == null, "region", null, "a region, because there is an endpoint");
    }

    private static void check(boolean ok, String setting, @Nullable Object value, String allowed) {
        if (!ok) {
            throw new IllegalArgumentException("S3: bad " + setting + ": "
                    + (value == null ? "null" : Redaction.value(value.toString())) + "; allowed: " + allowed);
        }
    }

    S3Vendor vendor() {
        return S3Vendor.of(endpoint);
    }

    /** Returns the address of the replica, without secrets. */
    String url() {
        String path = prefix.isEmpty() ? "/" : prefix.equals(".") ? "" : "/" + Redaction.path(prefix);
        return "s3://" + bucket + path + (endpoint == null ? "" : "?endpoint=" + endpoint);
    }

    @Override
    public String toString() {
        return url();
    }
}
