package org.litestream4j.replica.s3;

import org.jspecify.annotations.Nullable;

/**
 * Encryption by the store beyond its default. At most one of the three is set.
 *
 * @param customerKey 32 bytes in base64, sent with each request and stored only by the user
 * @param customerKeyPath file that contains such a key, in base64 or as 32 plain bytes
 * @param kmsKeyId key of the store's key management service
 */
record S3Encryption(@Nullable Secret customerKey, @Nullable String customerKeyPath, @Nullable String kmsKeyId) {

    static final S3Encryption NONE = new S3Encryption(null, null, null);

    S3Encryption {
        int set = (customerKey == null ? 0 : 1) + (customerKeyPath == null ? 0 : 1) + (kmsKeyId == null ? 0 : 1);
        if (set > 1) {
            throw new IllegalArgumentException(
                    "S3: only one of sse-customer-key, sse-customer-key-path and sse-kms-key-id may be set");
        }
    }

    boolean byCustomerKey() {
        return customerKey != null || customerKeyPath != null;
    }
}
