/** Heartbeats and webhooks: what monitoring services and other programs are told about replication. */
@NullMarked
package org.litestream4j.spring.notification;

import org.jspecify.annotations.NullMarked;
