/**
 * LTX files. {@link org.litestream4j.ltx.LtxReader} reads a file, {@link org.litestream4j.ltx.LtxWriter} writes one,
 * {@link org.litestream4j.ltx.LtxMerger} merges several into one. {@link org.litestream4j.ltx.LtxPageIndex} is the
 * entry point for readers that fetch parts of a file. TXIDs, names and checksums are value types.
 */
@NullMarked
package org.litestream4j.ltx;

import org.jspecify.annotations.NullMarked;
