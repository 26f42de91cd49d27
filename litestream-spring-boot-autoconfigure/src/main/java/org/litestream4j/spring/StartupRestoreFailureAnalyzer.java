package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Explains why a missing database cannot be restored. Ordered before the analyzers of the causes. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class StartupRestoreFailureAnalyzer extends AbstractFailureAnalyzer<StartupRestoreException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, StartupRestoreException cause) {
        return new FailureAnalysis(
                cause.getMessage(),
                cause.remedy()
                        + ". The application does not start with an empty database, because that could hide a backup.",
                cause);
    }
}
