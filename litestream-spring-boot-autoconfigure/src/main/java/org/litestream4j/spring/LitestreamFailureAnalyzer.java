package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.litestream4j.LitestreamException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Explains why the replication of a database cannot start. */
final class LitestreamFailureAnalyzer extends AbstractFailureAnalyzer<LitestreamException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, LitestreamException cause) {
        return new FailureAnalysis(
                "The database " + cause.database() + " cannot be replicated: " + cause.problem() + ".",
                cause.remedy(SettingNames.INSTANCE),
                cause);
    }
}
