package org.litestream4j.spring.readreplica;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.time.Instant;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.litestream4j.readreplica.ReadReplica;
import org.litestream4j.spring.LitestreamProperties;
import org.litestream4j.spring.ReadReplicaProperties;
import org.litestream4j.spring.TrainingRun;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.util.ClassUtils;

/** Creates the pool of read-only connections to the read replica of one entry. */
final class ReadReplicaDataSourceFactory implements FactoryBean<ReadReplicaDataSource>, DisposableBean {

    private static final boolean HIKARI = ClassUtils.isPresent(
            "com.zaxxer.hikari.HikariDataSource", ReadReplicaDataSourceFactory.class.getClassLoader());

    private final String name;
    private final LitestreamProperties properties;
    private final ReadReplica replica;
    private final TrainingRun training;
    private @Nullable ReadReplicaDataSource dataSource;

    ReadReplicaDataSourceFactory(
            String name, LitestreamProperties properties, ReadReplica replica, TrainingRun training) {
        this.name = name;
        this.properties = properties;
        this.replica = replica;
        this.training = training;
    }

    @Override
    public synchronized ReadReplicaDataSource getObject() throws IOException {
        if (dataSource == null) {
            ReadReplicaProperties own = properties.readReplicas().get(name);
            Instant moment = own == null || training.isActive() ? null : own.asOf();
            DataSource connections = moment == null ? replica.dataSource() : replica.asOf(moment);
            int size = own == null ? 1 : own.maximumPoolSize();
            // a connection to a restored file keeps its state
            boolean isPool = HIKARI && replica.status().fallback() == null;
            dataSource = new ReadReplicaDataSource(isPool ? Pool.of(name, connections, size) : connections, isPool);
        }
        return dataSource;
    }

    @Override
    public Class<?> getObjectType() {
        return ReadReplicaDataSource.class;
    }

    @Override
    public synchronized void destroy() throws IOException {
        if (dataSource != null) {
            dataSource.close();
        }
    }

    /** Keeps HikariCP optional. */
    private static final class Pool {

        static DataSource of(String name, DataSource connections, int size) {
            HikariConfig config = new HikariConfig();
            config.setPoolName(name);
            config.setDataSource(connections);
            config.setReadOnly(true);
            config.setMaximumPoolSize(size);
            config.setMinimumIdle(0); // a connection takes less than a millisecond
            return new HikariDataSource(config);
        }
    }
}
