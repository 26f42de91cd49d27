/**
 * The application's JDBC connections. Entry point: {@link org.litestream4j.internal.jdbc.ApplicationConnections}, which
 * wraps a {@code DataSource}. Detects commits, queues writers, makes commits wait for the replica, and holds
 * connections back while the database is replaced. Depends on the engine only through
 * {@link org.litestream4j.internal.jdbc.CommitHooks}.
 */
@NullMarked
package org.litestream4j.internal.jdbc;

import org.jspecify.annotations.NullMarked;
