package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;

/**
 * Writes to a stream and reports its errors, such as a full disk or a pipe whose reader has ended. Picocli's writers do
 * not: they wrap the stream so that {@link PrintWriter#checkError} never sees them.
 */
final class CommandOutput extends Writer {

    static final String UNWRITABLE = "standard output cannot be written; it was closed, or the disk is full";

    private final PrintStream stream;

    private CommandOutput(PrintStream stream) {
        this.stream = stream;
    }

    /** @param terminal whether each line is shown immediately */
    static PrintWriter of(PrintStream stream, boolean terminal) {
        return new PrintWriter(new CommandOutput(stream), terminal);
    }

    @Override
    public void write(char[] text, int offset, int length) {
        stream.print(new String(text, offset, length)); // in the encoding of the stream
    }

    /** @throws IOException if anything written so far did not reach the stream's destination */
    @Override
    public void flush() throws IOException {
        if (stream.checkError()) { // flushes
            throw new IOException(UNWRITABLE);
        }
    }

    /** Does nothing: the stream is the process's. */
    @Override
    public void close() {}
}
