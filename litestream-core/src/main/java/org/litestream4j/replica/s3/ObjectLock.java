package org.litestream4j.replica.s3;

import java.time.Duration;
import software.amazon.awssdk.services.s3.model.ObjectLockMode;

/**
 * Lock that each uploaded file gets: until it expires, the store refuses to delete the file.
 *
 * @param mode whether users with a special permission can delete locked files
 * @param retain time from the upload for which a file is locked, at least 1 s
 */
record ObjectLock(Mode mode, Duration retain) {

    static final Duration MAX_RETAIN = Duration.ofDays(36_500);

    enum Mode {
        /** Nobody can delete a locked file, or shorten its lock. */
        COMPLIANCE(ObjectLockMode.COMPLIANCE),
        /** Users with the permission {@code s3:BypassGovernanceRetention} can. */
        GOVERNANCE(ObjectLockMode.GOVERNANCE);

        private final ObjectLockMode sdk;

        Mode(ObjectLockMode sdk) {
            this.sdk = sdk;
        }

        ObjectLockMode sdk() {
            return sdk;
        }
    }
}
