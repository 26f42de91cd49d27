package org.litestream4j.replica.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** What a user meets who set something wrongly: which setting, and nothing secret. */
class S3AccessTest {

    private static final String TOKEN = "sessionTokenOfTheTests//123";

    private static final String CUSTOMER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    private static S3Server server;

    private FaultProxy proxy;

    @BeforeAll
    static void start() throws Exception {
        server = new S3Server();
    }

    @AfterAll
    static void stop() throws Exception {
        server.close();
    }

    @BeforeEach
    void open() throws Exception {
        proxy = new FaultProxy(server.port());
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
    }

    private ReplicaClient client(String parameters) {
        return S3TestClients.open(
                S3Server.location(proxy.port(), server.freshPath(), parameters), RequestListener.NONE);
    }

    @Test
    void prepare_wrongSecret_saysSo() throws Exception {
        ReplicaLocation wrong = ReplicaLocation.of("s3://" + S3Server.BUCKET + "/path?endpoint=127.0.0.1:"
                + proxy.port() + "&accessKeyId=" + S3Server.ACCESS_KEY + "&secretAccessKey=wrongSecretOfTheTests");
        try (ReplicaClient client = S3TestClients.open(wrong, RequestListener.NONE)) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("correct secret-access-key")
                    .hasMessageContaining("403 SignatureDoesNotMatch")
                    .hasMessageNotContaining("wrongSecretOfTheTests");
        }
        assertThat(proxy.seen).hasSize(1); // repeating it would lock accounts, not open them
    }

    @Test
    void prepare_unknownAccessKey_saysSo() throws Exception {
        ReplicaLocation wrong = ReplicaLocation.of("s3://" + S3Server.BUCKET + "/path?endpoint=127.0.0.1:"
                + proxy.port() + "&accessKeyId=AKIANOBODYKNOWSTHIS1&secretAccessKey=wrongSecretOfTheTests");
        try (ReplicaClient client = S3TestClients.open(wrong, RequestListener.NONE)) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("correct access-key-id");
        }
    }

    @Test
    void prepare_missingBucket_saysSo() throws Exception {
        ReplicaLocation wrong = new ReplicaLocation(
                S3Server.location(proxy.port(), "path", "").url(), java.util.Map.of("bucket", "no-such-bucket"));
        try (ReplicaClient client = S3TestClients.open(wrong, RequestListener.NONE)) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("create bucket no-such-bucket");
            assertThatThrownBy(() -> put(client, 0, name(1), bytes(10, 1)))
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("create bucket no-such-bucket");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "403, InvalidAccessKeyId, access-key-id",
        "401, Unauthorized, access-key-id",
        "403, SignatureDoesNotMatch, secret-access-key",
        "400, ExpiredToken, session-token",
        "403, InvalidToken, session-token",
        "403, RequestTimeTooSkewed, clock",
        "403, AccessDenied, right to list",
        "403, '', right to list",
        "404, NoSuchBucket, create bucket",
        "301, PermanentRedirect, 'region=eu-south-2'",
        "400, AuthorizationHeaderMalformed, 'region=eu-south-2'",
        "400, IllegalLocationConstraintException, 'region=eu-south-2'",
        "400, InvalidBucketName, bucket",
        "400, KMS.NotFoundException, sse-kms-key-id",
        "400, '', 'region=eu-south-2'",
    })
    void anything_refused_saysWhatToChange(int status, String code, String remedy) throws Exception {
        proxy.faults = request -> new Fault.Answer(
                status,
                "x-amz-bucket-region: eu-south-2\r\n",
                code.isEmpty() ? "" : "<Error><Code>" + code + "</Code><Message>no</Message></Error>");
        try (ReplicaClient client = client("")) {
            assertThatThrownBy(() -> S3TestClients.list(client, 0))
                    .isInstanceOfSatisfying(ReplicaAccessException.class, e -> {
                        assertThat(e.remedy()).contains(remedy);
                        assertThat(e.replica()).startsWith("s3://" + S3Server.BUCKET);
                        assertThat(e).hasMessageContaining(("the store answered " + status + " " + code).strip());
                    });
        }
        assertThat(proxy.seen).hasSize(1);
    }

    @Test
    void prepare_noCredentials_saysWhere() throws Exception {
        S3Settings settings =
                S3SettingsParser.parse(ReplicaLocation.of("s3://bucket/path?endpoint=127.0.0.1:" + proxy.port()));
        S3Connection connection = new S3Connection(settings, () -> {
            throw SdkClientException.create("nothing found in the chain");
        });
        try (ReplicaClient client =
                new S3ReplicaClient(connection, RequestListener.NONE, S3TestClients.SHORT_RETRIES, Clock.systemUTC())) {
            assertThatThrownBy(client::prepare)
                    .isInstanceOf(ReplicaAccessException.class)
                    .hasMessageContaining("no credentials were found")
                    .hasMessageContaining("access-key-id");
        }
        assertThat(proxy.seen).isEmpty();
    }

    @Test
    void prepare_nobodyListens_isNoMatterOfAccess() throws Exception {
        int port = proxy.port();
        proxy.close();
        try (ReplicaClient client = S3TestClients.open(S3Server.location(port, "p", ""), RequestListener.NONE)) {
            assertThatThrownBy(client::prepare)
                    .isExactlyInstanceOf(ReplicaException.class)
                    .hasMessageContaining("no answer from the store")
                    .hasMessageContaining("endpoint");
        }
    }

    @ParameterizedTest
    @CsvSource({"301", "400", "403", "200"})
    void regionOf_bucketElsewhere_isToldByTheStore(int status) throws Exception {
        proxy.faults = request -> new Fault.Answer(status, "x-amz-bucket-region: ap-south-1\r\n", "");
        S3Settings settings = S3SettingsParser.parse(S3Server.location(proxy.port(), "path", ""));
        try (S3Client client = S3Clients.build(settings, "us-east-1", null)) {
            assertThat(S3Connection.regionOf(client, S3Server.BUCKET)).isEqualTo("ap-south-1");
        }
        assertThat(proxy.seen).extracting(FaultProxy.Seen::method).containsExactly("HEAD");
    }

    @Test
    void secrets_whateverFails_appearNowhere() throws Exception {
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        // These two show whole requests when somebody asks for DEBUG; docs/replicas/s3.md warns of it.
        Logger wire = (Logger) LoggerFactory.getLogger("org.apache.hc.client5.http");
        Logger signer = (Logger) LoggerFactory.getLogger("software.amazon.awssdk.http.auth.aws.internal.signer");
        Level before = root.getLevel();
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        root.addAppender(log);
        StringBuilder shown = new StringBuilder();
        List<ch.qos.logback.core.Appender<ILoggingEvent>> consoles = new ArrayList<>();
        root.iteratorForAppenders().forEachRemaining(appender -> {
            if (appender != log) {
                consoles.add(appender);
            }
        });
        consoles.forEach(root::detachAppender);
        try {
            root.setLevel(Level.DEBUG);
            wire.setLevel(Level.INFO);
            signer.setLevel(Level.INFO);
            int[] statuses = {200, 400, 403, 404, 412, 500, 501};
            for (int status : statuses) {
                proxy.faults = request -> FaultProxy.error(status, "Whatever");
                fail(shown, "&sessionToken=" + TOKEN + "&sseCustomerKey=" + CUSTOMER_KEY);
            }
            proxy.faults = request -> new Fault.ResetBefore();
            fail(shown, "&sessionToken=" + TOKEN + "&sseCustomerKey=" + CUSTOMER_KEY);
            proxy.faults = request -> FaultProxy.NONE;
            fail(shown, "");
        } finally {
            consoles.forEach(root::addAppender);
            root.detachAppender(log);
            root.setLevel(before);
            wire.setLevel(null);
            signer.setLevel(null);
        }
        log.list.stream()
                .filter(event -> !event.getLoggerName().startsWith("org.gaul")) // the server, in this process too
                .forEach(
                        event -> event.getFormattedMessage().lines().forEach(line -> shown.append(event.getLoggerName())
                                .append(": ")
                                .append(line)
                                .append('\n')));
        assertThat(log.list).isNotEmpty();
        assertThat(shown.toString().contains("ReplicaException")).isTrue();
        List<String> secrets =
                List.of(S3Server.SECRET_KEY, S3Server.SECRET_KEY.replace("+", "%2B"), TOKEN, CUSTOMER_KEY);
        assertThat(shown.toString().lines())
                .filteredOn(line -> secrets.stream().anyMatch(line::contains))
                .isEmpty();
    }

    private void fail(StringBuilder shown, String parameters) throws IOException {
        ReplicaLocation location = S3Server.location(proxy.port(), server.freshPath(), parameters);
        shown.append(location).append(S3SettingsParser.parse(location)).append(S3Url.parse(location.url()));
        try (ReplicaClient client = S3TestClients.open(location, RequestListener.NONE)) {
            shown.append(client).append(client.url());
            List<Attempt> attempts = List.of(
                    client::prepare,
                    () -> S3TestClients.list(client, 0),
                    () -> put(client, 0, name(1), bytes(10, 1)),
                    () -> put(client, 9, name(1), bytes(6 << 20, 1)),
                    () -> S3TestClients.read(client, 0, name(7)),
                    () -> client.delete(0, List.of(name(1), name(2))));
            for (Attempt attempt : attempts) {
                try {
                    attempt.run();
                } catch (IOException | RuntimeException e) {
                    StringWriter trace = new StringWriter();
                    e.printStackTrace(new PrintWriter(trace));
                    shown.append(trace);
                }
            }
        }
    }

    private interface Attempt {
        void run() throws IOException;
    }

    @Test
    void credentials_ofTheApplication_areUsed() throws Exception {
        S3Provider provider = S3Provider.withCredentials(
                StaticCredentialsProvider.create(AwsBasicCredentials.create(S3Server.ACCESS_KEY, S3Server.SECRET_KEY)));
        ReplicaLocation location = ReplicaLocation.of(
                "s3://" + S3Server.BUCKET + "/" + server.freshPath() + "?endpoint=127.0.0.1:" + server.port());
        try (ReplicaClient client = provider.create(location)) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
        }
    }

    @Test
    void client_ofTheApplication_isUsedAndLeftOpen() throws Exception {
        S3Provider provider = S3Provider.withClient(server.sdk());
        ReplicaLocation location = ReplicaLocation.of("s3://" + S3Server.BUCKET + "/" + server.freshPath());
        try (ReplicaClient client = provider.create(location)) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
            put(client, 9, name(1), bytes(6 << 20, 1));
        }
        assertThat(server.sdk().listBuckets().buckets()).isNotEmpty();
    }

    @Test
    void client_ofTheApplication_addressNamesItsEndpoint() throws Exception {
        try (ReplicaClient client =
                S3Provider.withClient(server.sdk()).create(ReplicaLocation.of("s3://backups/app"))) {
            assertThat(client.url()).isEqualTo("s3://backups/app?endpoint=" + server.endpoint());
        }
    }

    @Test
    void client_ofTheApplication_connectionInTheSettings_isNotUsed() throws Exception {
        try (S3Client elsewhere = S3Client.builder()
                        .endpointOverride(URI.create("http://127.0.0.1:1"))
                        .region(Region.US_EAST_1)
                        .credentialsProvider(wrongKeys())
                        .build();
                ReplicaClient client = S3Provider.withClient(elsewhere)
                        .create(S3Server.location(server.port(), server.freshPath(), ""))) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
        }
    }

    @Test
    void credentials_ofTheApplication_besideAClient_serveConnectionsInTheSettings() throws Exception {
        S3Provider provider = S3Provider.withClient(
                server.sdk(),
                StaticCredentialsProvider.create(AwsBasicCredentials.create(S3Server.ACCESS_KEY, S3Server.SECRET_KEY)));
        ReplicaLocation location = new ReplicaLocation(
                "s3://" + S3Server.BUCKET + "/" + server.freshPath(),
                Map.of("endpoint", server.endpoint().toString()));
        try (ReplicaClient client = provider.create(location)) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
        }
    }

    @Test
    void credentials_ofTheApplication_keysInTheSettings_areNotUsed() throws Exception {
        S3Provider provider = S3Provider.withCredentials(wrongKeys());
        try (ReplicaClient client = provider.create(S3Server.location(server.port(), server.freshPath(), ""))) {
            client.prepare();
            put(client, 0, name(1), bytes(10, 1));
        }
    }

    private static StaticCredentialsProvider wrongKeys() {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIAOFSOMEBODYELSE01", "not the secret"));
    }

    @ParameterizedTest
    @CsvSource({
        "s3://bucket/path, false",
        "s3://bucket/path?partSize=8MiB&conditional-writes=off, false",
        "s3://arn:aws:s3:us-east-2:123456789012:accesspoint/my-point/app, false",
        "s3://bucket/path?region=eu-west-1, true",
        "s3://bucket.s3.eu-west-1.amazonaws.com/path, true",
        "s3://bucket.nyc3.digitaloceanspaces.com/path, true",
        "s3://bucket/path?skipVerify=true, true",
        "s3://bucket/path?access-key-id=a&secret-access-key=b, true",
    })
    void saysHowToConnect_urls_differ(String url, boolean says) {
        assertThat(S3SettingsParser.saysHowToConnect(ReplicaLocation.of(url))).isEqualTo(says);
    }
}
