package org.litestream4j.replica.s3;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/**
 * Credentials from the settings.
 *
 * @param sessionToken of temporary credentials, else null
 */
record AccessKeys(String accessKeyId, Secret secretAccessKey, @Nullable Secret sessionToken) {

    AccessKeys {
        requireNonNull(accessKeyId, "accessKeyId");
        requireNonNull(secretAccessKey, "secretAccessKey");
    }

    /** Nothing: the id is half of the credentials. */
    @Override
    public String toString() {
        return "(access keys)";
    }
}
