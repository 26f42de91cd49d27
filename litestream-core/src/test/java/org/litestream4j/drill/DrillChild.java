package org.litestream4j.drill;

import java.nio.file.Path;
import org.litestream4j.replica.ReplicaLocation;

/** Runs a drill with a check that waits to be killed. */
final class DrillChild {

    private DrillChild() {}

    public static void main(String[] args) {
        RestoreDrillCheck check = (connection, txid, timestamp) -> {
            System.out.println("restored");
            System.in.read();
        };
        DrillOptions options =
                DrillOptions.builder(Path.of(args[0])).minFree(0).check(check).build();
        System.out.println(RestoreDrill.run(ReplicaLocation.of(args[1]), options));
    }
}
