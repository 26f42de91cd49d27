package org.litestream4j.drill;

import java.util.Map;
import org.litestream4j.replica.RequestListener.RequestType;

/**
 * Prices of a store, for the estimated cost of a drill. All in one currency.
 *
 * @param thousandLists price of 1000 requests that list files
 * @param thousandReads price of 1000 requests that read content or metadata
 * @param gibibyteReceived price of the transfer of 1 GiB out of the store
 */
public record DrillPrices(double thousandLists, double thousandReads, double gibibyteReceived) {

    /** List prices of Amazon S3 Standard in us-east-1, in US dollars, for a reader in the same region: transfer is free. */
    public static final DrillPrices S3_STANDARD = new DrillPrices(0.005, 0.0004, 0);

    private static final double MICROS = 1_000_000;

    private static final double GIBIBYTE = 1L << 30;

    /** @throws IllegalArgumentException if a price is negative */
    public DrillPrices {
        if (!(thousandLists >= 0) || !(thousandReads >= 0) || !(gibibyteReceived >= 0)) {
            throw new IllegalArgumentException(
                    "prices must not be negative: " + thousandLists + ", " + thousandReads + ", " + gibibyteReceived);
        }
    }

    /** Returns the cost in millionths. Stores without billed requests cost nothing but transfer. */
    long costMicros(Map<RequestType, Long> requests, long bytesReceived) {
        double cost = gibibyteReceived * bytesReceived / GIBIBYTE;
        for (Map.Entry<RequestType, Long> entry : requests.entrySet()) {
            boolean reads = entry.getKey() == RequestType.GET || entry.getKey() == RequestType.HEAD;
            cost += entry.getValue() * (reads ? thousandReads : thousandLists) / 1000;
        }
        return Math.round(cost * MICROS);
    }
}
