package org.litestream4j.test;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.beans.factory.config.BeanPostProcessor;

/**
 * Refuses databases and read replicas with a replica or a local state outside of the folders of the test, before
 * anything is read or written there. Such a setting comes from a place that {@link IsolatedSettings} cannot override.
 */
final class Isolation implements BeanPostProcessor {

    private final TestFolders folders;

    Isolation(TestFolders folders) {
        this.folders = folders;
    }

    @Override
    public @Nullable Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof LitestreamProperties properties) {
            properties
                    .readReplicas()
                    .forEach((name, own) -> refuseOutside("litestream.read-replicas." + name + ".url", own.url()));
        }
        return bean instanceof Litestream litestream ? checking(litestream) : bean;
    }

    private Litestream checking(Litestream litestream) {
        return (Litestream) Proxy.newProxyInstance(
                Isolation.class.getClassLoader(), new Class<?>[] {Litestream.class}, (proxy, method, arguments) -> {
                    if (arguments != null) {
                        for (Object argument : arguments) {
                            if (argument instanceof DatabaseConfig config) {
                                check(config);
                            }
                        }
                    }
                    try {
                        return method.invoke(litestream, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    private void check(DatabaseConfig config) {
        String entry = "litestream.databases." + config.name();
        ReplicaLocation replica = config.replica();
        String setting = entry + ".replica.url or litestream.replica.url, or a bean of LitestreamConnectionDetails,";
        refuseOutside(setting, replica.url());
        Map<String, String> settings = replica.settings();
        String path = settings.getOrDefault("path", "");
        if (!path.isBlank() && !folders.contains(Path.of(path))) {
            throw outside(entry + ".replica.path", path);
        }
        if (!folders.contains(config.metaPath())) {
            throw outside(
                    entry + ".meta-path or litestream.meta-path",
                    config.metaPath().toString());
        }
    }

    private void refuseOutside(String setting, @Nullable String url) {
        if (url != null && !folders.containsReplica(url)) {
            throw outside(setting, Redaction.url(url));
        }
    }

    private static IllegalStateException outside(String setting, String value) {
        return new IllegalStateException("@AutoConfigureLitestream: " + setting + " names " + value
                + ", which is outside of the temporary folder of the test, and cannot be overridden. Set it where the"
                + " environment of the test sees it before the context is refreshed (application.yml, not"
                + " @PropertySource), or remove it from the test");
    }
}
