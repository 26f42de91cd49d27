package org.litestream4j.ltx;

/** Compression of the pages of an LTX file. Readers accept both encodings, even mixed in one file. */
public enum PageEncoding {
    /** One LZ4 block, preceded by its size; read by Litestream from 0.5.16 on. */
    BLOCK,
    /** One LZ4 frame; read by every Litestream 0.5. */
    FRAME
}
