package org.litestream4j.spring;

import org.springframework.context.annotation.Condition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Whether {@code litestream.enabled} is not false. What is neither true nor false must not switch a backup off: the binding explains it. */
final class OnLitestreamEnabled implements Condition {

    @Override
    public boolean matches(ConditionContext context, AnnotatedTypeMetadata metadata) {
        try {
            return context.getEnvironment().getProperty("litestream.enabled", Boolean.class, true);
        } catch (ConversionException e) {
            return true;
        }
    }
}
