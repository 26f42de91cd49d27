package org.litestream4j.spring;

import java.lang.reflect.Method;
import java.util.Collection;
import org.aopalliance.aop.Advice;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.litestream4j.Durability;
import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;
import org.springframework.context.EmbeddedValueResolverAware;
import org.springframework.core.Ordered;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.transaction.interceptor.TransactionalProxy;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.StringValueResolver;

/**
 * Reads the labels {@code litestream.replicated} and {@code litestream.async} of {@code @Transactional}. Wraps the
 * interceptor that begins and ends the transaction, which does not expose labels.
 */
final class TransactionLabels implements PointcutAdvisor, Ordered, EmbeddedValueResolverAware {

    private static final String PREFIX = "litestream.";
    private static final String REPLICATED = PREFIX + "replicated";
    private static final String ASYNC = PREFIX + "async";

    private final AnnotationTransactionAttributeSource attributes = new AnnotationTransactionAttributeSource(false);

    private final Pointcut pointcut = new StaticMethodMatcherPointcut() {
        @Override
        public boolean matches(Method method, Class<?> targetClass) {
            TransactionAttribute attribute = attributes.getTransactionAttribute(method, targetClass);
            // Repositories have their own interceptor, and get another proxy only if there is a label.
            return attribute != null
                    && (durability(attribute, method) != null
                            || !TransactionalProxy.class.isAssignableFrom(targetClass));
        }
    };

    private final MethodInterceptor interceptor = this::invoke;

    @Override
    public void setEmbeddedValueResolver(StringValueResolver resolver) {
        attributes.setEmbeddedValueResolver(resolver);
    }

    @Override
    public Pointcut getPointcut() {
        return pointcut;
    }

    @Override
    public Advice getAdvice() {
        return interceptor;
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }

    private @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
        Object target = invocation.getThis();
        Method method = invocation.getMethod();
        TransactionAttribute attribute =
                attributes.getTransactionAttribute(method, target != null ? target.getClass() : null);
        Durability own = attribute != null ? durability(attribute, method) : null;
        if (attribute != null
                && own == Durability.REPLICATED
                && joins(attribute)
                && TransactionSynchronizationManager.isActualTransactionActive()) {
            TransactionDurability.demand();
        }
        Durability outer = TransactionDurability.label();
        if (own == outer) {
            return invocation.proceed();
        }
        TransactionDurability.label(own);
        try {
            return invocation.proceed();
        } finally {
            TransactionDurability.label(outer);
        }
    }

    private static boolean joins(TransactionDefinition definition) {
        return switch (definition.getPropagationBehavior()) {
            case TransactionDefinition.PROPAGATION_REQUIRED,
                    TransactionDefinition.PROPAGATION_SUPPORTS,
                    TransactionDefinition.PROPAGATION_MANDATORY,
                    TransactionDefinition.PROPAGATION_NESTED -> true;
            default -> false;
        };
    }

    private static @Nullable Durability durability(TransactionAttribute attribute, Method method) {
        Collection<String> labels = attribute.getLabels();
        Durability durability = null;
        for (String label : labels) {
            if (label.startsWith(PREFIX)) {
                Durability found =
                        switch (label) {
                            case REPLICATED -> Durability.REPLICATED;
                            case ASYNC -> Durability.ASYNC;
                            default -> throw wrong(labels, method);
                        };
                if (durability != null && durability != found) {
                    throw wrong(labels, method);
                }
                durability = found;
            }
        }
        return durability;
    }

    private static LitestreamSettingException wrong(Collection<String> labels, Method method) {
        return new LitestreamSettingException(
                "@Transactional of " + method.getDeclaringClass().getName() + "." + method.getName()
                        + " has the labels " + labels + ".",
                "Write one of the labels " + REPLICATED + " and " + ASYNC + ".");
    }
}
