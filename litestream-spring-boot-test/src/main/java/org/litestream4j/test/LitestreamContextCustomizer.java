package org.litestream4j.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.MergedContextConfiguration;

/**
 * Adds the folders of a test class to its context. Part of the key of the context cache: each class has its own context.
 *
 * @param testClass whose context it is
 * @param enabled whether databases are replicated
 * @param database whether the database is put into the folder
 */
record LitestreamContextCustomizer(Class<?> testClass, boolean enabled, boolean database) implements ContextCustomizer {

    private static final String SETTINGS = "litestreamTest";

    @Override
    public void customizeContext(ConfigurableApplicationContext context, MergedContextConfiguration configuration) {
        if (!enabled) {
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource(SETTINGS, Map.of("litestream.enabled", "false")));
            return;
        }
        try {
            TestFolders folders = TestFolders.create();
            context.getEnvironment()
                    .getPropertySources()
                    .addFirst(new MapPropertySource(
                            SETTINGS, IsolatedSettings.of(context.getEnvironment(), folders, database)));
            folders.register(context);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create the temporary folders of " + testClass.getName(), e);
        }
    }
}
