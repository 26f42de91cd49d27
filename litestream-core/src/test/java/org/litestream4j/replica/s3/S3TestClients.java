package org.litestream4j.replica.s3;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaUpload;
import org.litestream4j.replica.RequestListener;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;

/** Clients that do not wait long, and what the tests do with them. */
final class S3TestClients {

    static final Instant TIME = Instant.parse("2026-11-24T02:41:33.910Z");

    static final S3Calls.RetryPolicy SHORT_RETRIES =
            new S3Calls.RetryPolicy(4, Duration.ofMillis(2), Duration.ofSeconds(20));

    private S3TestClients() {}

    static ReplicaClient open(ReplicaLocation location, RequestListener listener) {
        return open(location, listener, Clock.systemUTC());
    }

    static ReplicaClient open(ReplicaLocation location, RequestListener listener, Clock clock) {
        S3Settings settings = S3SettingsParser.parse(location);
        S3Connection connection = new S3Connection(settings, (AwsCredentialsProvider) null);
        return new S3ReplicaClient(connection, listener, SHORT_RETRIES, clock);
    }

    static LtxFileName name(long txid) {
        return LtxFileName.of(new Txid(txid));
    }

    static byte[] bytes(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static LtxFileInfo put(ReplicaClient client, int level, LtxFileName name, byte[] content) throws IOException {
        try (ReplicaUpload upload = client.write(level, name, TIME)) {
            upload.write(content);
            return upload.publish();
        }
    }

    static byte[] read(ReplicaClient client, int level, LtxFileName name) throws IOException {
        try (InputStream in = client.open(level, name, 0, ReplicaClient.TO_END)) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            in.transferTo(out);
            return out.toByteArray();
        }
    }

    static List<LtxFileName> list(ReplicaClient client, int level) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        client.list(level, Txid.NONE, file -> names.add(file.name()));
        return names;
    }
}
