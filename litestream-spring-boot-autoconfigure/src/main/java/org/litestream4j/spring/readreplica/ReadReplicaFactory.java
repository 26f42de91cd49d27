package org.litestream4j.spring.readreplica;

import java.io.IOException;
import java.nio.file.Files;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.readreplica.ReadReplicaOptions;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.LitestreamSettingException;
import org.litestream4j.spring.ReadReplicaProperties;
import org.litestream4j.spring.TrainingRun;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.FactoryBean;

/** Opens the read replica of one entry, and closes it with the context. */
final class ReadReplicaFactory implements FactoryBean<ReadReplica>, DisposableBean {

    private static final Logger LOG = LoggerFactory.getLogger(ReadReplicaFactory.class);

    /** Maximum number of contexts of a process with entries of one name. */
    private static final int MAX_CONTEXTS = 1000;

    private final String name;
    private final LitestreamProperties properties;
    private final TrainingRun training;
    private @Nullable ReadReplica replica;

    ReadReplicaFactory(String name, LitestreamProperties properties, TrainingRun training) {
        this.name = name;
        this.properties = properties;
        this.training = training;
    }

    @Override
    public synchronized ReadReplica getObject() throws IOException {
        if (replica == null) {
            ReadReplicaProperties own = properties.readReplicas().get(name);
            if (own == null) {
                throw new LitestreamSettingException(
                        "There is no setting " + ReadReplicaSettings.prefix(name) + ".", "Set its url.");
            }
            if (training.isActive()) {
                replica = ReadReplica.open(
                        TrainingRun.emptyReplica(Files.createTempDirectory("litestream-training")),
                        ReadReplicaOptions.builder().name(name).build());
                return replica;
            }
            try {
                replica = open(new ReadReplicaSettings(name, own, properties.replica()));
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

    /** Opens it under the name of the entry, or with a number if another context of this process has that name. */
    private ReadReplica open(ReadReplicaSettings settings) throws IOException {
        for (int number = 2; ; number++) {
            String free = number == 2 ? name : name + "-" + (number - 1);
            try {
                ReadReplica opened = ReadReplica.open(settings.location(), settings.options(free));
                if (!free.equals(name)) {
                    LOG.warn("another context has a read replica of this name: bean={} name={}", name, free);
                }
                return opened;
            } catch (IllegalStateException e) { // the name is taken
                if (e.getCause() != null || number > MAX_CONTEXTS) {
                    throw e;
                }
            }
        }
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
