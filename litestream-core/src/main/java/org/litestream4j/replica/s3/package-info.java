/**
 * Replicas in S3 and compatible stores. {@link org.litestream4j.replica.s3.S3Provider} is the entry point. Requires
 * {@code s3} and {@code apache5-client} of the AWS SDK on the class path.
 */
@NullMarked
package org.litestream4j.replica.s3;

import org.jspecify.annotations.NullMarked;
