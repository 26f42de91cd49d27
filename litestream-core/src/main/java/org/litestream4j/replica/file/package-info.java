/**
 * Replicas in a folder: {@link org.litestream4j.replica.file.FileReplicaProvider} serves {@code file:} URLs, and makes
 * clients for folders of the same layout, such as the local staging beside a database.
 */
@NullMarked
package org.litestream4j.replica.file;

import org.jspecify.annotations.NullMarked;
