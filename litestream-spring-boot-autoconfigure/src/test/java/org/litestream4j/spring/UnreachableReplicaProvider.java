package org.litestream4j.spring;

import java.io.IOException;
import java.net.ConnectException;
import java.time.Instant;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.Set;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.OpenedFile;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.ReplicaProvider;
import org.litestream4j.replica.ReplicaUpload;

/** Replicas {@code unreachable:…}, whose store never answers. */
public final class UnreachableReplicaProvider implements ReplicaProvider {

    @Override
    public Set<String> schemes() {
        return Set.of("unreachable");
    }

    @Override
    public ReplicaClient create(ReplicaLocation location) {
        return new Client();
    }

    private static final class Client implements ReplicaClient {

        @Override
        public String url() {
            return "unreachable:";
        }

        @Override
        public void prepare() throws IOException {
            throw new ConnectException("Connection refused");
        }

        @Override
        public void list(int level, Txid from, Visitor visitor) throws IOException {
            throw new ConnectException("Connection refused");
        }

        @Override
        public OpenedFile openFile(int level, LtxFileName name, long offset, long length) throws IOException {
            throw new ConnectException("Connection refused");
        }

        @Override
        public ReplicaUpload write(int level, LtxFileName name, Instant timestamp, OptionalLong databaseChecksum)
                throws IOException {
            throw new ConnectException("Connection refused");
        }

        @Override
        public void delete(int level, Collection<LtxFileName> names) throws IOException {
            throw new ConnectException("Connection refused");
        }

        @Override
        public void close() {}
    }
}
