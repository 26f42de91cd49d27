package org.litestream4j.test;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.test.context.TestContextAnnotationUtils;
import org.springframework.test.context.TestContextAnnotationUtils.AnnotationDescriptor;

/** Finds {@link AutoConfigureLitestream} on a test class, its superclasses and the classes around it. */
final class LitestreamContextCustomizerFactory implements ContextCustomizerFactory {

    @Override
    public @Nullable ContextCustomizer createContextCustomizer(
            Class<?> testClass, List<ContextConfigurationAttributes> attributes) {
        AnnotationDescriptor<AutoConfigureLitestream> found =
                TestContextAnnotationUtils.findAnnotationDescriptor(testClass, AutoConfigureLitestream.class);
        if (found == null) {
            return null;
        }
        AutoConfigureLitestream annotation = found.getAnnotation();
        return new LitestreamContextCustomizer(testClass, annotation.enabled(), annotation.database());
    }
}
