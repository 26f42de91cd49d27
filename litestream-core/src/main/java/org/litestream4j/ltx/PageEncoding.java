package org.litestream4j.ltx;

/** How the pages of an LTX file are compressed. Readers take both, also mixed in one file. */
public enum PageEncoding {
    /** One LZ4 block with its size before it; Litestream reads it since 0.5.16. */
    BLOCK,
    /** One LZ4 frame, which every Litestream 0.5 reads. */
    FRAME
}
