package org.litestream4j.replica.s3;

/**
 * State shared by all calls of one client.
 *
 * @param wholeFence fence for files sent by one request
 * @param partsFence fence for files sent in parts
 */
record S3Context(
        S3Settings settings,
        S3Keys keys,
        S3Calls calls,
        S3Requests requests,
        S3Failures failures,
        S3Parts parts,
        S3Leftovers leftovers,
        S3Fence wholeFence,
        S3Fence partsFence) {}
