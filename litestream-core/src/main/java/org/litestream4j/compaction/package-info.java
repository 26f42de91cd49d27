/**
 * Keeps a replica small and fast to restore. {@link org.litestream4j.compaction.Compaction} merges level-0 files into
 * levels, publishes snapshots, and deletes expired files.
 */
@NullMarked
package org.litestream4j.compaction;

import org.jspecify.annotations.NullMarked;
