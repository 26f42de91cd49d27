package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Explains why a replica cannot be used. */
final class ReplicaFailureAnalyzer extends AbstractFailureAnalyzer<ReplicaException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, ReplicaException cause) {
        return new FailureAnalysis(
                "The replica cannot be used: " + cause.message(SettingNames.INSTANCE) + ".",
                cause.remedy().isEmpty()
                        ? "Make the replica reachable and start again."
                        : cause.remedy(SettingNames.INSTANCE),
                cause);
    }
}
