package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;

/**
 * Where a replica in S3 is and how to reach it.
 *
 * @param bucket a name, or the ARN of an access point
 * @param prefix of all keys, before {@code /<level>/<name>}; may be empty or "." (ltx-format, "Where the files stand")
 * @param formerPrefix under which an earlier version of this library kept the files, most often the same
 * @param region null only without an endpoint: the bucket's region is looked up then
 * @param endpoint with scheme, without path style's bucket; null for AWS itself
 * @param keys null for the SDK's default chain
 * @param storageClass null for the bucket's default
 * @param partSize in bytes, from 5 MiB to 1 GiB: smaller files are sent by one request, larger ones in such parts
 * @param concurrency parts of this replica sent at once, 1 to 64
 * @param skipVerify accept any certificate
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
        ConditionalWrites conditionalWrites) {

    static final int MIN_PART_SIZE = 5 << 20;

    static final int MAX_PART_SIZE = 1 << 30;

    static final int MAX_CONCURRENCY = 64;

    /** @throws IllegalArgumentException naming the setting, its value and what is allowed */
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

    /** The replica's address without secrets. */
    String url() {
        String path = prefix.isEmpty() ? "/" : prefix.equals(".") ? "" : "/" + prefix;
        return "s3://" + bucket + path + (endpoint == null ? "" : "?endpoint=" + endpoint);
    }

    @Override
    public String toString() {
        return url();
    }
}
