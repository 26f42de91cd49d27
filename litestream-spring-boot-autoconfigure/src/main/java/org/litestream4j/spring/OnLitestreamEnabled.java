package org.litestream4j.spring;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.convert.ConversionException;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches unless {@code litestream.enabled} is false. A value that is neither true nor false must not disable a backup;
 * binding it reports the error.
 */
final class OnLitestreamEnabled extends SpringBootCondition {

    private static final String SETTING = "litestream.enabled";

    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        ConditionMessage.Builder message = ConditionMessage.forCondition("Litestream");
        try {
            boolean enabled = context.getEnvironment().getProperty(SETTING, Boolean.class, true);
            return new ConditionOutcome(enabled, message.because(SETTING + " is " + (enabled ? "not false" : "false")));
        } catch (ConversionException e) {
            return ConditionOutcome.match(message.because(SETTING + " is neither true nor false"));
        }
    }
}
