/**
 * Keeps a replica small and quick to restore: {@link org.litestream4j.compaction.Compaction} merges level-0 files into
 * levels, publishes snapshots, and deletes what retention no longer needs.
 */
@NullMarked
package org.litestream4j.compaction;

import org.jspecify.annotations.NullMarked;
