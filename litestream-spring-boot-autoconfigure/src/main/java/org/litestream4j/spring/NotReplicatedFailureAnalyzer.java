package org.litestream4j.spring;

import org.jspecify.annotations.Nullable;
import org.litestream4j.NotReplicatedException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Explains a startup that failed because a commit, for example of a migration, was not replicated. */
final class NotReplicatedFailureAnalyzer extends AbstractFailureAnalyzer<NotReplicatedException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, NotReplicatedException cause) {
        return new FailureAnalysis(
                "With litestream.durability=replicated, a commit during startup was not replicated: "
                        + cause.getMessage()
                        + ".",
                "Make the replica reachable, or raise litestream.durability-timeout. To start without it, set"
                        + " litestream.durability=async.",
                cause);
    }
}
