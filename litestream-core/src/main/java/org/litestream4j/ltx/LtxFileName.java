package org.litestream4j.ltx;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Name of an LTX file, {@code <min>-<max>.ltx}, with the transactions that the file contains (ltx-format, "TXIDs,
 * names, levels").
 *
 * @param min first transaction, at least 1
 * @param max last transaction, inclusive, not before {@code min}
 */
public record LtxFileName(Txid min, Txid max) implements Comparable<LtxFileName> {

    private static final Pattern PATTERN = Pattern.compile("([0-9a-f]{16})-([0-9a-f]{16})\\.ltx");

    /** @throws IllegalArgumentException if the TXIDs are 0 or out of order */
    public LtxFileName {
        requireNonNull(min, "min");
        requireNonNull(max, "max");
        if (min.isNone() || min.isAfter(max)) {
            throw new IllegalArgumentException("TXIDs of an LTX file out of order: " + min + "-" + max);
        }
    }

    /** Returns the name of the file of one transaction. */
    public static LtxFileName of(Txid txid) {
        return new LtxFileName(txid, txid);
    }

    /** Parses a name from a listing; empty if it is not the name of an LTX file. Readers ignore such files. */
    public static Optional<LtxFileName> parse(String name) {
        Matcher matcher = PATTERN.matcher(name);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        Txid min = Txid.parse(matcher.group(1));
        Txid max = Txid.parse(matcher.group(2));
        return min.isNone() || min.isAfter(max) ? Optional.empty() : Optional.of(new LtxFileName(min, max));
    }

    /**
     * Returns whether a file of this name can be applied to a database at {@code position}, without a gap, and leads to
     * a later state.
     */
    public boolean continues(Txid position) {
        return min.compareTo(position.value() == -1L ? position : position.next()) <= 0 && max.isAfter(position);
    }

    /** Compares by first, then by last transaction. */
    @Override
    public int compareTo(LtxFileName other) {
        int byMin = min.compareTo(other.min);
        return byMin != 0 ? byMin : max.compareTo(other.max);
    }

    @Override
    public String toString() {
        return min + "-" + max + ".ltx";
    }
}
