/**
 * Litestream in a Spring Boot application. {@link org.litestream4j.spring.LitestreamProperties} contains the settings,
 * {@link org.litestream4j.spring.LitestreamAutoConfiguration} the beans. Restores databases before the first
 * connection, puts a {@code DataSource} below each pool, and flushes after the last connection was closed.
 */
@NullMarked
package org.litestream4j.spring;

import org.jspecify.annotations.NullMarked;
