package org.litestream4j.spring.actuate;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.litestream4j.DatabaseStatus;
import org.litestream4j.Litestream;
import org.litestream4j.ManagedDatabase;
import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;

/** Contributes the version of the library, the replicated databases and the addresses of their replicas, without secrets. */
final class LitestreamInfoContributor implements InfoContributor {

    private final Litestream litestream;

    LitestreamInfoContributor(Litestream litestream) {
        this.litestream = litestream;
    }

    @Override
    public void contribute(Info.Builder builder) {
        Map<String, Object> details = new LinkedHashMap<>();
        String version = Litestream.class.getPackage().getImplementationVersion();
        if (version != null) { // available only in a jar
            details.put("version", version);
        }
        List<Map<String, Object>> databases = litestream.databases().stream()
                .map(ManagedDatabase::status)
                .sorted(Comparator.comparing(DatabaseStatus::name))
                .map(LitestreamInfoContributor::describe)
                .toList();
        details.put("databases", databases);
        builder.withDetail("litestream", details);
    }

    private static Map<String, Object> describe(DatabaseStatus status) {
        Map<String, Object> database = new LinkedHashMap<>();
        database.put("name", status.name());
        database.put("replica", status.replica());
        database.put("state", status.state());
        return database;
    }
}
