package org.litestream4j.replica.s3;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.spi.scheme.AuthSchemeOption;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.LegacyMd5Plugin;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.auth.scheme.S3AuthSchemeProvider;
import software.amazon.awssdk.utils.AttributeMap;

/** Builds the SDK's client from the settings. */
final class S3Clients {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Longest time without a byte from the store. */
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(30);

    /** Shorter than the time after which stores and load balancers close idle connections. */
    private static final Duration MAX_IDLE = Duration.ofSeconds(20);

    private static final int MAX_CONNECTIONS = 64;

    private S3Clients() {}

    /** @param credentials credentials to use if the settings have none; null for the SDK's default chain */
    static S3Client build(S3Settings settings, String region, @Nullable AwsCredentialsProvider credentials) {
        return builder(settings, region, credentials)
                .httpClient(httpClient(settings))
                .build();
    }

    /** Returns a builder with all settings except the HTTP client. */
    static S3ClientBuilder builder(S3Settings settings, String region, @Nullable AwsCredentialsProvider credentials) {
        S3ClientBuilder builder = S3Client.builder()
                .credentialsProvider(withMissingReported(credentials(settings.keys(), credentials)))
                .region(Region.of(region))
                .forcePathStyle(settings.pathStyle())
                .authSchemeProvider(authSchemes(settings))
                // The SDK's own retries share a quota that is exhausted by long outages; S3Calls has no such quota.
                .overrideConfiguration(configuration -> {
                    configuration
                            .retryStrategy(AwsRetryStrategy.doNotRetry())
                            .putAdvancedOption(SdkAdvancedClientOption.USER_AGENT_PREFIX, "litestream4j");
                    if (settings.vendor() == S3Vendor.TIGRIS) {
                        configuration.putHeader("X-Tigris-Consistent", "true"); // copies in other regions are behind
                    }
                })
                // LTX files carry their own checksum, which also covers content assembled from ranges.
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(service -> service.useArnRegionEnabled(true)
                        // Few stores other than Amazon's support "aws-chunked" bodies.
                        .chunkedEncodingEnabled(settings.vendor() == S3Vendor.AWS));
        if (settings.vendor() != S3Vendor.AWS) {
            builder.requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED);
        }
        if (settings.contentMd5()) {
            builder.addPlugin(LegacyMd5Plugin.create());
        }
        if (settings.endpoint() != null) {
            builder.endpointOverride(settings.endpoint());
        }
        return builder;
    }

    private static SdkHttpClient httpClient(S3Settings settings) {
        return Apache5HttpClient.builder()
                .connectionTimeout(CONNECT_TIMEOUT)
                .socketTimeout(READ_TIMEOUT)
                .connectionMaxIdleTime(MAX_IDLE)
                .maxConnections(MAX_CONNECTIONS)
                .tcpKeepAlive(true)
                .buildWithDefaults(AttributeMap.builder()
                        .put(SdkHttpConfigurationOption.TRUST_ALL_CERTIFICATES, settings.skipVerify())
                        .build());
    }

    private static AwsCredentialsProvider credentials(
            @Nullable AccessKeys keys, @Nullable AwsCredentialsProvider otherwise) {
        if (keys == null) {
            return otherwise != null
                    ? otherwise
                    : DefaultCredentialsProvider.builder().build();
        }
        String secret = keys.secretAccessKey().value();
        return StaticCredentialsProvider.create(
                keys.sessionToken() == null
                        ? AwsBasicCredentials.create(keys.accessKeyId(), secret)
                        : AwsSessionCredentials.create(
                                keys.accessKeyId(), secret, keys.sessionToken().value()));
    }

    /** Returns the same credentials with a distinct exception type for missing credentials. */
    private static AwsCredentialsProvider withMissingReported(AwsCredentialsProvider credentials) {
        return () -> {
            try {
                return credentials.resolveCredentials();
            } catch (SdkClientException e) {
                throw new MissingCredentialsException(e);
            }
        };
    }

    private static S3AuthSchemeProvider authSchemes(S3Settings settings) {
        S3AuthSchemeProvider defaults = S3AuthSchemeProvider.defaultProvider();
        return parameters -> defaults.resolveAuthScheme(parameters).stream()
                .map(option -> option.toBuilder()
                        .putSignerProperty(AwsV4FamilyHttpSigner.PAYLOAD_SIGNING_ENABLED, settings.signPayload())
                        .build())
                .map(AuthSchemeOption.class::cast)
                .toList();
    }
}
