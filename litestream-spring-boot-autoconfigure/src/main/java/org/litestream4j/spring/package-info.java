/**
 * Litestream in a Spring Boot application: {@link org.litestream4j.spring.LitestreamProperties} says what, {@link
 * org.litestream4j.spring.LitestreamAutoConfiguration} wires it. Restores before anything opens a database, puts a {@code
 * DataSource} below each pool, and flushes after the last connection closed.
 */
@NullMarked
package org.litestream4j.spring;

import org.jspecify.annotations.NullMarked;
