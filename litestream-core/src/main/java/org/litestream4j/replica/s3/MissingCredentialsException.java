package org.litestream4j.replica.s3;

import software.amazon.awssdk.core.exception.SdkClientException;

/** The credentials chain came to its end; told apart by type, as the SDK has only a text for it. */
final class MissingCredentialsException extends SdkClientException {

    private static final long serialVersionUID = 1L;

    MissingCredentialsException(SdkClientException cause) {
        super(SdkClientException.builder().message(cause.getMessage()).cause(cause));
    }
}
