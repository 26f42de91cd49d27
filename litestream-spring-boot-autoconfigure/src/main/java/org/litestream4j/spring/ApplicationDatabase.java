package org.litestream4j.spring;

import java.util.Optional;

/** Determines the application's database without creating a {@code DataSource}. */
@FunctionalInterface
interface ApplicationDatabase {

    /** Returns the JDBC URL of the application's {@code DataSource}; empty if the configuration does not contain it. */
    Optional<String> url();
}
