package org.litestream4j.sample;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.gaul.s3proxy.BlobStores;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.ConfigurableEnvironment;

/**
 * An S3 server inside the application, which keeps its objects as files: for trying out only. It starts before any bean, for
 * the restore needs it, and stops after all of them, for the final flush does.
 */
final class EmbeddedS3 implements ApplicationContextInitializer<ConfigurableApplicationContext> {

    private static final Logger log = LoggerFactory.getLogger(EmbeddedS3.class);

    @Override
    public void initialize(ConfigurableApplicationContext context) {
        ConfigurableEnvironment environment = context.getEnvironment();
        if (!environment.getProperty("sample.embedded-s3.enabled", Boolean.class, false)) {
            return;
        }
        Path folder = Path.of(environment.getRequiredProperty("sample.embedded-s3.folder"))
                .toAbsolutePath()
                .normalize();
        String bucket = environment.getRequiredProperty("litestream.replica.s3.bucket");
        S3Proxy server;
        try {
            Files.createDirectories(folder.resolve(bucket)); // a folder is a bucket
            server = start(folder, environment);
        } catch (Exception e) { // what S3Proxy declares
            throw new IllegalStateException("the embedded S3 server does not start", e);
        }
        log.info("embedded S3 server: port={} folder={}", server.getPort(), folder);
        // The first that is registered is the last that is destroyed.
        ((DefaultListableBeanFactory) context.getBeanFactory()).registerDisposableBean("embeddedS3", server::stop);
    }

    private static S3Proxy start(Path folder, ConfigurableEnvironment environment) throws Exception {
        Properties store = new Properties();
        store.setProperty("jclouds.filesystem.basedir", folder.toString());
        S3Proxy server = S3Proxy.builder()
                .blobStore(BlobStores.create("filesystem-nio2", store))
                .endpoint(URI.create(environment.getRequiredProperty("litestream.replica.s3.endpoint")))
                .awsAuthentication(
                        AuthenticationType.AWS_V4,
                        environment.getRequiredProperty("litestream.replica.s3.access-key-id"),
                        environment.getRequiredProperty("litestream.replica.s3.secret-access-key"))
                .build();
        server.start();
        return server;
    }
}
