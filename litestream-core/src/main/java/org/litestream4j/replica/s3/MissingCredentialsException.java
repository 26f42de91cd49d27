package org.litestream4j.replica.s3;

import software.amazon.awssdk.core.exception.SdkClientException;

/** Thrown if the credentials chain finds no credentials. The SDK itself identifies this case only by a text. */
final class MissingCredentialsException extends SdkClientException {

    private static final long serialVersionUID = 1L;

    MissingCredentialsException(SdkClientException cause) {
        super(SdkClientException.builder().message(cause.getMessage()).cause(cause));
    }
}
