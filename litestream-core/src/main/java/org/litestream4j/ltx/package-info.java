/**
 * LTX files: {@link org.litestream4j.ltx.LtxReader} reads one, {@link org.litestream4j.ltx.LtxWriter} writes one,
 * {@link org.litestream4j.ltx.LtxMerger} merges several into one. TXIDs, names and checksums are values beside them.
 * Who fetches parts of a file, in parallel or page by page, starts from {@link org.litestream4j.ltx.LtxPageIndex}.
 */
@NullMarked
package org.litestream4j.ltx;

import org.jspecify.annotations.NullMarked;
