/**
 * Replicas in S3 and in stores that speak its protocol: {@link org.litestream4j.replica.s3.S3Provider} is the entry.
 * Needs the AWS SDK's {@code s3} and {@code apache5-client} on the class path.
 */
@NullMarked
package org.litestream4j.replica.s3;

import org.jspecify.annotations.NullMarked;
