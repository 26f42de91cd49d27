/** Containers as replicas: {@link org.litestream4j.spring.LitestreamConnectionDetails} of Testcontainers and of Docker Compose. */
@NullMarked
package org.litestream4j.spring.connection;

import org.jspecify.annotations.NullMarked;
