package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Explains an invalid setting. */
final class LitestreamSettingFailureAnalyzer extends AbstractFailureAnalyzer<LitestreamSettingException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, LitestreamSettingException cause) {
        return new FailureAnalysis(cause.getMessage(), cause.remedy(), cause);
    }
}
