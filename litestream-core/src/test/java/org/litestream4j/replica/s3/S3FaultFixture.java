package org.litestream4j.replica.s3;

import static org.litestream4j.replica.s3.FaultProxy.NONE;
import static org.litestream4j.replica.s3.S3TestClients.bytes;
import static org.litestream4j.replica.s3.S3TestClients.name;
import static org.litestream4j.replica.s3.S3TestClients.put;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.RequestListener.Request;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** A store behind a proxy that answers late, wrongly, by half or not at all. */
abstract class S3FaultFixture {

    static final int MIB = 1 << 20;

    static S3Server server;

    final List<Request> counted = new CopyOnWriteArrayList<>();

    FaultProxy proxy;

    String path;

    ReplicaClient client;

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
        path = server.freshPath();
        client = client("");
        put(client, 8, name(1), bytes(1, 1)); // so that it knows the store already: S3FenceTest
        counted.clear();
        proxy.seen.clear();
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        proxy.close();
    }

    ReplicaClient client(String parameters) {
        return S3TestClients.open(S3Server.location(proxy.port(), path, parameters), counted::add);
    }

    /** These faults on the first requests of a method, then none. */
    void faults(String method, Fault... faults) {
        Deque<Fault> left = new ArrayDeque<>(Arrays.asList(faults));
        proxy.faults = request -> {
            synchronized (left) {
                return request.method().equals(method) && !left.isEmpty() ? left.poll() : NONE;
            }
        };
    }

    List<String> counts() {
        return counted.stream()
                .map(request -> request.type() + " " + request.outcome())
                .toList();
    }

    String key(int level, LtxFileName name) {
        return new S3Keys(path).key(level, name);
    }

    List<String> unfinishedUploads() {
        return server.sdk().listMultipartUploads(request -> request.bucket(S3Server.BUCKET)).uploads().stream()
                .map(upload -> upload.key())
                .filter(key -> key.startsWith(path + "/"))
                .toList();
    }

    static boolean isComplete(Seen request) {
        return request.method().equals("POST") && request.target().contains("uploadId=");
    }
}
