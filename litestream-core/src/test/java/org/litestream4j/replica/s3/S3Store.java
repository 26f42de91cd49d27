package org.litestream4j.replica.s3;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;

/**
 * A store of the user's choice, whose bucket exists: {@code -Dlitestream.s3.url=s3://bucket/path?endpoint=…}, its keys as
 * the SDK's default chain finds them ({@code AWS_ACCESS_KEY_ID}, {@code AWS_SECRET_ACCESS_KEY}). What the tests write
 * below the path, they delete.
 */
final class S3Store {

    static final String URL = "litestream.s3.url";

    static final String HOW = "needs a store: -D" + URL + "=s3://bucket/path?endpoint=…";

    private final String address;
    private final String parameters;
    private final List<String> used = new ArrayList<>();

    S3Store() {
        String url = System.getProperty(URL);
        int question = url.indexOf('?');
        address = (question < 0 ? url : url.substring(0, question)).replaceFirst("/+$", "");
        parameters = question < 0 ? "" : url.substring(question);
    }

    /** Below the path, where nothing is. */
    ReplicaLocation freshLocation() {
        String path = "litestream4j-test-" + UUID.randomUUID();
        used.add(path);
        return location(path);
    }

    private ReplicaLocation location(String path) {
        return ReplicaLocation.of(address + "/" + path + parameters);
    }

    /** Deletes what was written. */
    void clean() throws IOException {
        for (String path : used) {
            try (ReplicaClient client = new S3Provider().create(location(path))) {
                for (int level = 0; level <= ReplicaClient.SNAPSHOT_LEVEL; level++) {
                    List<LtxFileName> names = new ArrayList<>();
                    client.list(level, Txid.NONE, file -> names.add(file.name()));
                    client.delete(level, names);
                }
            }
        }
        used.clear();
    }
}
