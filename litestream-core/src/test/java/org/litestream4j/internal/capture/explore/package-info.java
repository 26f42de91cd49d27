/**
 * Plays sequences of everything that the application, other processes and the engine do to one database, against the real
 * SQLite, and compares after each what was captured with what SQLite shows. {@link
 * org.litestream4j.internal.capture.explore.ExplorationTest} runs it.
 */
@NullMarked
package org.litestream4j.internal.capture.explore;

import org.jspecify.annotations.NullMarked;
