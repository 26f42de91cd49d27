/**
 * The command line program. {@link org.litestream4j.cli.LitestreamCli} is its main class; each command has a class of
 * its own.
 */
@NullMarked
package org.litestream4j.cli;

import org.jspecify.annotations.NullMarked;
