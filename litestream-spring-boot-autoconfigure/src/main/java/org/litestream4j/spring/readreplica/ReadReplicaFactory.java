package org.litestream4j.spring.readreplica;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.LitestreamSettingException;
import org.litestream4j.spring.ReadReplicaProperties;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.FactoryBean;

/** Opens the read replica of one entry, and closes it with the context. */
final class ReadReplicaFactory implements FactoryBean<ReadReplica>, DisposableBean {

    private final String name;
    private final LitestreamProperties properties;
    private @Nullable ReadReplica replica;

    ReadReplicaFactory(String name, LitestreamProperties properties) {
        this.name = name;
        this.properties = properties;
    }

    @Override
    public synchronized ReadReplica getObject() throws IOException {
        if (replica == null) {
            ReadReplicaProperties own = properties.readReplicas().get(name);
            if (own == null) {
                throw new LitestreamSettingException(
                        "There is no setting " + ReadReplicaSettings.prefix(name) + ".", "Set its url.");
            }
            ReadReplicaSettings settings = new ReadReplicaSettings(name, own, properties.replica());
            try {
                replica = ReadReplica.open(settings.location(), settings.options());
            } catch (IllegalArgumentException | IllegalStateException e) { // scheme, setting or library of the replica
                throw new LitestreamSettingException(
                        "The read replica \"" + name + "\" cannot be opened: " + e.getMessage() + ".",
                        e.getCause() instanceof LinkageError || e.getCause() instanceof ClassNotFoundException
                                ? "Add the library to the application's dependencies."
                                : "Correct " + ReadReplicaSettings.prefix(name) + ".*");
            }
        }
        return replica;
    }

    @Override
    public Class<?> getObjectType() {
        return ReadReplica.class;
    }

    @Override
    public synchronized void destroy() throws IOException {
        if (replica != null) {
            replica.close();
        }
    }
}
