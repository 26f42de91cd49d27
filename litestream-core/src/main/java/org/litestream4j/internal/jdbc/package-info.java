/**
 * The application's JDBC connections. Entry: {@link org.litestream4j.internal.jdbc.ApplicationConnections}, which wraps a {@code
 * DataSource}. Notices commits, queues writers, lets commits wait for the replica, and holds connections back while the database
 * is replaced. Knows the engine only as {@link org.litestream4j.internal.jdbc.CommitHooks}.
 */
@NullMarked
package org.litestream4j.internal.jdbc;

import org.jspecify.annotations.NullMarked;
