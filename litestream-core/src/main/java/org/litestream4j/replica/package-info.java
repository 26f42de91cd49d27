/**
 * Where LTX files are kept: {@link org.litestream4j.replica.ReplicaClient} is the contract that each backend (a
 * subpackage, found by {@link java.util.ServiceLoader} through {@link org.litestream4j.replica.ReplicaProvider})
 * fulfils.
 */
@NullMarked
package org.litestream4j.replica;

import org.jspecify.annotations.NullMarked;
