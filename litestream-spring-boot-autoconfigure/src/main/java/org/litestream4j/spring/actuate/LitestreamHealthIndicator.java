package org.litestream4j.spring.actuate;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.litestream4j.DatabaseState;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.spring.LitestreamProperties;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/**
 * The worst of all databases. Reads what the engine knows: a probe asks neither the replica nor the database. {@link
 * #DEGRADED} leaves the application's health as it is; a replica that is behind is a reason to look, not to restart.
 */
final class LitestreamHealthIndicator extends AbstractHealthIndicator {

    static final Status DEGRADED = new Status("DEGRADED", "changes wait for the replica");

    private final Supplier<List<DatabaseStatus>> databases;
    private final LitestreamProperties.Health thresholds;

    LitestreamHealthIndicator(Supplier<List<DatabaseStatus>> databases, LitestreamProperties.Health thresholds) {
        super("Replication health cannot be read");
        this.databases = databases;
        this.thresholds = thresholds;
    }

    @Override
    protected void doHealthCheck(Health.Builder builder) {
        builder.up();
        Status worst = Status.UP;
        for (DatabaseStatus status : databases.get()) {
            Status health = health(status);
            builder.withDetail(status.name(), details(status, health));
            if (health.equals(Status.DOWN) || worst.equals(Status.UP)) {
                worst = health;
            }
        }
        builder.status(worst);
    }

    private Status health(DatabaseStatus status) {
        if (status.state() == DatabaseState.CONFLICT
                || status.state() == DatabaseState.STOPPED
                || status.lag().compareTo(thresholds.lagDown()) >= 0) {
            return Status.DOWN;
        }
        return status.lag().compareTo(thresholds.lagWarning()) >= 0 ? DEGRADED : Status.UP;
    }

    private static Map<String, Object> details(DatabaseStatus status, Status health) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("status", health.getCode());
        details.put("state", status.state());
        details.put("captured", status.captured().toString());
        details.put("replicated", status.replicated().toString());
        details.put("lag", status.lag().toString());
        if (status.lastError() != null) {
            details.put("lastError", status.lastError());
            details.put("lastErrorAt", String.valueOf(status.lastErrorAt()));
        }
        return details;
    }
}
