/**
 * Replicas in a folder. {@link org.litestream4j.replica.file.FileReplicaProvider} serves {@code file:} URLs, and
 * creates clients for folders of the same layout, such as the local state beside a database.
 */
@NullMarked
package org.litestream4j.replica.file;

import org.jspecify.annotations.NullMarked;
