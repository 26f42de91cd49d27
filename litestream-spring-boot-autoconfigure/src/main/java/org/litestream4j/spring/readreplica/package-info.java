/**
 * Read replicas as {@code DataSource} beans: {@code litestream.read-replicas.<name>.*}, with health, metrics and an
 * actuator endpoint.
 */
@NullMarked
package org.litestream4j.spring.readreplica;

import org.jspecify.annotations.NullMarked;
