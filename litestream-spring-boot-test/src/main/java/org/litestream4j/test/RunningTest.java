package org.litestream4j.test;

import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.test.annotation.DirtiesContext.HierarchyMode;
import org.springframework.test.context.TestContext;
import org.springframework.test.context.support.AbstractTestExecutionListener;
import org.springframework.test.context.support.DependencyInjectionTestExecutionListener;

/** Knows the test that runs on a thread, so that a context that the test loses also leaves the context cache. */
final class RunningTest extends AbstractTestExecutionListener {

    private static final ThreadLocal<TestContext> RUNNING = new ThreadLocal<>();

    @Override
    public void beforeTestMethod(TestContext test) {
        RUNNING.set(test);
    }

    @Override
    public void afterTestMethod(TestContext test) {
        RUNNING.remove();
    }

    @Override
    public int getOrder() {
        return HIGHEST_PRECEDENCE;
    }

    /** Closes a context. If it is that of the running test, the next test of the class gets a new one. */
    static void close(ConfigurableApplicationContext context) {
        TestContext test = RUNNING.get();
        if (test != null && test.hasApplicationContext() && test.getApplicationContext() == context) {
            test.markApplicationContextDirty(HierarchyMode.EXHAUSTIVE);
            test.setAttribute(DependencyInjectionTestExecutionListener.REINJECT_DEPENDENCIES_ATTRIBUTE, true);
        }
        context.close();
    }
}
