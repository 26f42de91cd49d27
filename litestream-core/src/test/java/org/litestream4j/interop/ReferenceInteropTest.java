package org.litestream4j.interop;

import org.litestream4j.replica.ReplicaLocation;

/** Over a folder. */
class ReferenceInteropTest extends ReferenceInteropContract {

    @Override
    protected ReplicaLocation freshLocation() {
        return ReplicaLocation.of("file://" + folder.resolve("replica"));
    }
}
