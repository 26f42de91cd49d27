package org.litestream4j.spring.readreplica;

import java.util.Set;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/** Matches if there are entries below {@code litestream.read-replicas}. */
final class OnReadReplicas extends SpringBootCondition {

    @Override
    public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
        ConditionMessage.Builder message = ConditionMessage.forCondition("Litestream read replicas");
        Set<String> names = ReadReplicaRegistrar.names(context.getEnvironment());
        return new ConditionOutcome(
                !names.isEmpty(),
                names.isEmpty()
                        ? message.because("litestream.read-replicas has no entry")
                        : message.foundExactly(names));
    }
}
