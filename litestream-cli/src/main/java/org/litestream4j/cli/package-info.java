/** The command line: {@link org.litestream4j.cli.LitestreamCli} is the program; each command has its class. */
@NullMarked
package org.litestream4j.cli;

import org.jspecify.annotations.NullMarked;
