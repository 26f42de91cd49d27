/**
 * Storage of LTX files. {@link org.litestream4j.replica.ReplicaClient} is the contract that each backend implements. A
 * backend is a subpackage, found by {@link java.util.ServiceLoader} through
 * {@link org.litestream4j.replica.ReplicaProvider}.
 */
@NullMarked
package org.litestream4j.replica;

import org.jspecify.annotations.NullMarked;
