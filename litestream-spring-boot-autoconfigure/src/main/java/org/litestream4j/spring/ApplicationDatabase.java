package org.litestream4j.spring;

import java.util.Optional;

/** Says where the application's own database is, without creating a {@code DataSource}. */
@FunctionalInterface
interface ApplicationDatabase {

    /** JDBC URL of the application's {@code DataSource}; empty if the configuration does not tell it. */
    Optional<String> url();
}
