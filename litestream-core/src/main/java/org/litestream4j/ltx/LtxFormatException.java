package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An LTX file is damaged, or not what its name or its neighbours say. The file cannot be used: fetch it again, or restore
 * from other files.
 */
public final class LtxFormatException extends IOException {

    private static final long serialVersionUID = 1;

    private final String source;
    private final long offset;
    private final String field;

    /**
     * @param source path or object key of the file
     * @param offset in the file, in bytes, of what is wrong
     * @param field name of what is wrong, as {@link #field()} lists them
     * @param detail what was found and what is allowed
     */
    public LtxFormatException(String source, long offset, String field, String detail) {
        this(source, offset, field, detail, null);
    }

    LtxFormatException(String source, long offset, String field, String detail, @Nullable Throwable cause) {
        super("LTX file " + source + " at offset " + offset + ": " + field + ": " + detail, cause);
        this.source = requireNonNull(source, "source");
        this.offset = offset;
        this.field = requireNonNull(field, "field");
    }

    /** Path or object key of the file. */
    public String source() {
        return source;
    }

    /** Where in the file, in bytes from its start. */
    public long offset() {
        return offset;
    }

    /**
     * What is wrong, one name per kind of rejection: {@code magic}, {@code flags}, {@code page size}, {@code commit},
     * {@code min TXID}, {@code max TXID}, {@code pre-apply checksum}, {@code WAL offset}, {@code WAL size},
     * {@code WAL salts}, {@code file name}; {@code pgno}, {@code pgno order}, {@code lock page}, {@code snapshot gap},
     * {@code end marker}, {@code page flags}, {@code compressed size}, {@code page data}; {@code page index},
     * {@code page index size}, {@code post-apply checksum}, {@code database checksum}, {@code file checksum},
     * {@code length} (cut short), {@code end} (bytes after the trailer); between files that are merged
     * {@code contiguity} and {@code checksum chain}.
     */
    public String field() {
        return field;
    }
}
