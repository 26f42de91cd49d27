package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Credentials from the settings.
 *
 * @param sessionToken session token of temporary credentials; otherwise null
 */
record AccessKeys(String accessKeyId, Secret secretAccessKey, @Nullable Secret sessionToken) {

    AccessKeys {
        requireNonNull(accessKeyId, "accessKeyId");
        requireNonNull(secretAccessKey, "secretAccessKey");
    }

    /** Returns a text without the credentials; the id is half of them. */
    @Override
    public String toString() {
        return "(access keys)";
    }
}
