/** Replicas in containers: {@link org.litestream4j.spring.LitestreamConnectionDetails} for Testcontainers and Docker Compose. */
@NullMarked
package org.litestream4j.spring.connection;

import org.jspecify.annotations.NullMarked;
