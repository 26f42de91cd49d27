package org.litestream4j.replica.s3;

import java.io.IOException;
import java.security.cert.CertificateException;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaFileNotFoundException;
import org.litestream4j.replica.RequestListener.RequestResult;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Interprets the SDK's exceptions by HTTP status and the store's error code. */
final class S3Failures {

    private static final Set<String> PASSING = Set.of(
            "RequestTimeout",
            "RequestTimeoutException",
            "InternalError",
            "ServiceUnavailable",
            "OperationAborted",
            "ConditionalRequestConflict",
            "IncompleteBody",
            "BadDigest",
            "XAmzContentSHA256Mismatch");

    private static final Set<String> THROTTLING =
            Set.of("SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "Busy");

    private static final Set<String> UNKNOWN_REQUEST =
            Set.of("NotImplemented", "InvalidArgument", "InvalidRequest", "");

    private static final Set<String> NO_DIGEST = Set.of("MissingContentMD5", "InvalidDigest", "MalformedXML");

    private static final Set<String> NO_KEYS = Set.of("InvalidAccessKeyId", "InvalidClientTokenId", "Unauthorized");

    private static final Set<String> WRONG_SECRET = Set.of("SignatureDoesNotMatch");

    private static final Set<String> OLD_TOKEN =
            Set.of("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired");

    private static final Set<String> CLOCK = Set.of("RequestTimeTooSkewed", "RequestExpired");

    private static final Set<String> REGION = Set.of(
            "PermanentRedirect",
            "TemporaryRedirect",
            "Redirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "InvalidRegion");

    private final S3Settings settings;

    S3Failures(S3Settings settings) {
        this.settings = settings;
    }

    /** Returns the address of the replica. */
    String replica() {
        return settings.url();
    }

    static int status(SdkException e) {
        return e instanceof SdkServiceException service ? service.statusCode() : 0;
    }

    /** Returns the store's error code; empty if the response had none, as for HEAD. */
    static String code(SdkException e) {
        if (e instanceof S3Exception s3) {
            AwsErrorDetails details = s3.awsErrorDetails();
            return details == null || details.errorCode() == null ? "" : details.errorCode();
        }
        return "";
    }

    /** Returns whether the same request may succeed shortly after. */
    static boolean mayPass(SdkException e) {
        if (!(e instanceof SdkServiceException)) {
            return e.getCause() instanceof IOException && !isCertificate(e); // no response, or an incomplete one
        }
        int status = status(e);
        return status == 408
                || status == 425
                || status == 429
                || (status >= 500 && status != 501 && status != 505)
                || PASSING.contains(code(e))
                || THROTTLING.contains(code(e));
    }

    static boolean passingCode(String code) {
        return PASSING.contains(code) || THROTTLING.contains(code);
    }

    static boolean isMissing(SdkException e) {
        return status(e) == 404 && !code(e).equals("NoSuchBucket");
    }

    /** Returns whether a range begins at or beyond the end of the file. */
    static boolean isBeyondEnd(SdkException e) {
        return status(e) == 416;
    }

    /** Returns whether the store requires a checksum of the request's body, or does not support the one that was sent. */
    static boolean isBadDigest(SdkException e) {
        return status(e) == 400 && NO_DIGEST.contains(code(e));
    }

    /**
     * Returns whether the parts of a large file no longer exist: completed by an earlier attempt, or deleted by another
     * program.
     */
    static boolean isUploadGone(SdkException e) {
        return code(e).equals("NoSuchUpload");
    }

    static boolean isTaken(SdkException e) {
        return status(e) == 412;
    }

    /** Returns whether the store reports that it does not support the request or a part of it. */
    static boolean isUnsupported(SdkException e) {
        int status = status(e);
        return status == 501 || status == 405 || (status == 400 && UNKNOWN_REQUEST.contains(code(e)));
    }

    static RequestResult outcome(SdkException e) {
        int status = status(e);
        if (status == 429 || THROTTLING.contains(code(e))) {
            return RequestResult.THROTTLED;
        }
        return switch (status) {
            case 404 -> code(e).equals("NoSuchBucket") ? RequestResult.REFUSED : RequestResult.NOT_FOUND;
            case 409, 412 -> RequestResult.CONFLICT;
            case 301, 307, 401, 403 -> RequestResult.REFUSED;
            default -> refusal(e) == null ? RequestResult.FAILED : RequestResult.REFUSED;
        };
    }

    /**
     * Returns the exception for the caller.
     *
     * @param doing the attempted operation, as it follows "cannot"
     */
    IOException translate(SdkException e, String doing) {
        String problem = "cannot " + doing + ": " + facts(e);
        if (e instanceof MissingCredentialsException) {
            return new ReplicaAccessException(
                    settings.url(),
                    "cannot " + doing + ": no credentials were found",
                    "set access-key-id and secret-access-key, or provide what the SDK's default credentials chain looks"
                            + " for (environment, profile, container or instance role)",
                    e);
        }
        String remedy = mayPass(e) ? null : remedy(e, doing);
        if (remedy != null) {
            return new ReplicaAccessException(settings.url(), problem, remedy, e);
        }
        boolean silent = !(e instanceof SdkServiceException);
        return new ReplicaException(
                settings.url(), problem, silent ? "check the endpoint and the network if this lasts" : "", e);
    }

    /** Returns the exception for the caller that used one file. */
    IOException ofFile(SdkException e, String key, String doing) {
        return isMissing(e) ? missing(e, key) : translate(e, doing);
    }

    /** Returns the exception for a file that does not exist. */
    ReplicaFileNotFoundException missing(SdkException e, String key) {
        return new ReplicaFileNotFoundException(settings.url(), "there is no file " + key + " (any more)", "", e);
    }

    /** Returns the exception for one file of a request for several files, based on the store's code for that file. */
    IOException ofCode(String code, String doing) {
        String problem = "cannot " + doing + ": the store answered " + code;
        return code.equals("AccessDenied")
                ? new ReplicaAccessException(settings.url(), problem, rights(doing), null)
                : new ReplicaException(settings.url(), problem, "", null);
    }

    private String rights(String doing) {
        return "give these credentials the right to " + doing + " in bucket " + settings.bucket()
                + " (actions: docs/replicas/s3.md)"
                + (settings.encryption().kmsKeyId() == null ? "" : ", and to use the key sse-kms-key-id");
    }

    private static String facts(SdkException e) {
        if (!(e instanceof SdkServiceException service)) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            return "no answer from the store (" + cause.getClass().getSimpleName() + ")";
        }
        String code = code(e);
        return "the store answered " + service.statusCode() + (code.isEmpty() ? "" : " " + code)
                + (service.requestId() == null ? "" : " to request " + service.requestId());
    }

    private @Nullable String remedy(SdkException e, String doing) {
        String refusal = refusal(e);
        if (refusal != null) {
            return refusal.replace("{bucket}", settings.bucket()) + regionHint(e);
        }
        return switch (status(e)) {
            case 401, 403 -> rights(doing);
            case 400 ->
                settings.encryption().byCustomerKey()
                        ? "check that sse-customer-key is the key that the files were written with, and that the endpoint"
                                + " uses https"
                        : code(e).isEmpty()
                                ? "check region, session-token, endpoint and force-path-style" + regionHint(e)
                                : null;
            default -> null;
        };
    }

    private static @Nullable String refusal(SdkException e) {
        String code = code(e);
        if (NO_KEYS.contains(code)) {
            return "the store does not know this access key: correct access-key-id, or the credentials that the SDK found";
        }
        if (WRONG_SECRET.contains(code)) {
            return "correct secret-access-key: it does not belong to the access key";
        }
        if (OLD_TOKEN.contains(code)) {
            return "renew session-token and its access keys: the token is expired or not valid";
        }
        if (CLOCK.contains(code)) {
            return "set this machine's clock (NTP): it is too far from the store's";
        }
        if (REGION.contains(code) || status(e) == 301 || status(e) == 307) {
            return "set region to the one of bucket {bucket}";
        }
        if (code.equals("NoSuchBucket") || (status(e) == 404 && code.isEmpty())) {
            return "create bucket {bucket}, or correct the bucket's name, region or endpoint";
        }
        if (code.equals("InvalidBucketName")) {
            return "correct the bucket's name";
        }
        if (code.startsWith("KMS.")) {
            return "check that sse-kms-key-id names an enabled key that these credentials may use";
        }
        if (isCertificate(e)) {
            return "check the endpoint's certificate and this JVM's trust store; import the certificate's authority there";
        }
        return null;
    }

    private static String regionHint(SdkException e) {
        return header(e, "x-amz-bucket-region")
                .map(region -> "; the bucket's is region=" + region)
                .orElse("");
    }

    private static Optional<String> header(SdkException e, String name) {
        return e instanceof S3Exception s3
                        && s3.awsErrorDetails() != null
                        && s3.awsErrorDetails().sdkHttpResponse() != null
                ? s3.awsErrorDetails().sdkHttpResponse().firstMatchingHeader(name)
                : Optional.empty();
    }

    private static boolean isCertificate(SdkException e) {
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateException || cause instanceof SSLPeerUnverifiedException) {
                return true;
            }
        }
        return false;
    }
}
