package org.litestream4j.ltx;

import java.util.HexFormat;

/**
 * Transaction id: an unsigned 64-bit counter that only grows. One sync creates one TXID, for any number of SQLite
 * transactions. Written as 16 lower-case hexadecimal digits.
 *
 * @param value value of the counter, unsigned; 0 is {@link #NONE}
 */
public record Txid(long value) implements Comparable<Txid> {

    /** The TXID before the first transaction. */
    public static final Txid NONE = new Txid(0);

    private static final HexFormat HEX = HexFormat.of();

    /**
     * Parses the text form, as written by {@link #toString}.
     *
     * @param text 1 to 16 hexadecimal digits in either case; leading zeros may be omitted
     * @throws IllegalArgumentException if the text is invalid; contains the text
     */
    public static Txid parse(String text) {
        if (text.isEmpty() || text.length() > 16 || !text.chars().allMatch(HexFormat::isHexDigit)) {
            throw new IllegalArgumentException("not a TXID (1 to 16 hex digits): " + text);
        }
        return new Txid(HexFormat.fromHexDigitsToLong(text));
    }

    /**
     * Returns the TXID after this one.
     *
     * @throws IllegalStateException after the largest, {@code ffffffffffffffff}
     */
    public Txid next() {
        if (value == -1L) {
            throw new IllegalStateException("no TXID after " + this);
        }
        return new Txid(value + 1);
    }

    /**
     * Returns the TXID before this one.
     *
     * @throws IllegalStateException before {@link #NONE}
     */
    public Txid previous() {
        if (value == 0) {
            throw new IllegalStateException("no TXID before " + this);
        }
        return new Txid(value - 1);
    }

    public boolean isNone() {
        return value == 0;
    }

    public boolean isAfter(Txid other) {
        return compareTo(other) > 0;
    }

    public boolean isBefore(Txid other) {
        return compareTo(other) < 0;
    }

    /** Returns the later of two TXIDs. */
    public static Txid max(Txid a, Txid b) {
        return a.isAfter(b) ? a : b;
    }

    @Override
    public int compareTo(Txid other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        return HEX.toHexDigits(value);
    }
}
