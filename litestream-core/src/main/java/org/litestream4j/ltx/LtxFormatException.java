package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Thrown if an LTX file is damaged, or does not match its name or adjacent files. The file cannot be used: fetch it
 * again, or restore from other files.
 */
public final class LtxFormatException extends IOException {

    private static final long serialVersionUID = 1;

    private final String source;
    private final long offset;
    private final String field;

    /**
     * @param source path or object key of the file
     * @param offset offset of the error in the file, in bytes
     * @param field name of the invalid field, as listed by {@link #field()}
     * @param detail the value found and the allowed values
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

    /** Returns the path or object key of the file. */
    public String source() {
        return source;
    }

    /** Returns the offset of the error, in bytes from the start of the file. */
    public long offset() {
        return offset;
    }

    /**
     * Returns the name of the invalid field, one for each kind of error: {@code magic}, {@code flags},
     * {@code page size}, {@code commit}, {@code min TXID}, {@code max TXID}, {@code pre-apply checksum},
     * {@code WAL offset}, {@code WAL size}, {@code WAL salts}, {@code file name}; {@code pgno}, {@code pgno order},
     * {@code lock page}, {@code snapshot gap}, {@code end marker}, {@code page flags}, {@code compressed size},
     * {@code page data}; {@code page index}, {@code page index size}, {@code post-apply checksum},
     * {@code database checksum}, {@code file checksum}, {@code length} (file truncated), {@code end} (bytes after the
     * trailer); between merged files, {@code contiguity} and {@code checksum chain}.
     */
    public String field() {
        return field;
    }
}
