/**
 * The engine: lanes that capture, upload and compact each database on shared threads, the waits of callers, and the
 * life cycle of a database from registration to the last upload. Entry point:
 * {@link org.litestream4j.internal.engine.LitestreamEngine}.
 */
@NullMarked
package org.litestream4j.internal.engine;

import org.jspecify.annotations.NullMarked;
