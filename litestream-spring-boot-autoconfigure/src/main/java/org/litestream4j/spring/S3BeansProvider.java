package org.litestream4j.spring;

import java.util.Set;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.RequestListener;
import org.litestream4j.replica.s3.S3Provider;
import org.springframework.beans.factory.ObjectProvider;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;

/** Replicas in S3 with the application's client and credentials. These beans are created together with the first such replica. */
final class S3BeansProvider implements ReplicaProvider {

    private final ObjectProvider<S3Client> clients;
    private final ObjectProvider<AwsCredentialsProvider> credentials;

    S3BeansProvider(ObjectProvider<S3Client> clients, ObjectProvider<AwsCredentialsProvider> credentials) {
        this.clients = clients;
        this.credentials = credentials;
    }

    @Override
    public Set<String> schemes() {
        return Set.of("s3");
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        return create(location, RequestListener.NONE);
    }

    @Override
    public ReplicaClient create(ReplicaLocation location, RequestListener listener) {
        S3Client client = clients.getIfUnique();
        AwsCredentialsProvider own = credentials.getIfUnique();
        S3Provider provider = client != null
                ? S3Provider.withClient(client, own)
                : own != null ? S3Provider.withCredentials(own) : new S3Provider();
        return provider.create(location, listener);
    }
}
