package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.HierarchicalBeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.ConfigurationCondition;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Matches if no parent context replicates the same databases. */
final class OnNoParentWithLitestream extends SpringBootCondition implements ConfigurationCondition {

    @Override
    public ConfigurationPhase getConfigurationPhase() {
        return ConfigurationPhase.REGISTER_BEAN;
    }

    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        ConditionMessage.Builder message = ConditionMessage.forCondition("Litestream");
        return hasParent(context)
                ? ConditionOutcome.noMatch(message.because("a context above this one has its beans"))
                : ConditionOutcome.match(message.because("no context above this one has its beans"));
    }

    private static boolean hasParent(ConditionContext context) {
        @Nullable BeanFactory factory = context.getBeanFactory();
        while (factory instanceof HierarchicalBeanFactory hierarchical) {
            factory = hierarchical.getParentBeanFactory();
            if (factory instanceof ListableBeanFactory parent
                    && parent.getBeanNamesForType(ReplicatedDatabases.class, true, false).length > 0) {
                return true;
            }
        }
        return false;
    }

    /** Matches if a parent context replicates the databases. */
    static final class Inverse extends SpringBootCondition implements ConfigurationCondition {

        @Override
        public ConfigurationPhase getConfigurationPhase() {
            return ConfigurationPhase.REGISTER_BEAN;
        }

        @Override
        public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
            ConditionOutcome opposite = new OnNoParentWithLitestream().getMatchOutcome(context, metadata);
            return new ConditionOutcome(!opposite.isMatch(), opposite.getConditionMessage());
        }
    }
}
