package org.litestream4j.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.util.Locale;
import org.litestream4j.restore.RestoreListener;
import org.litestream4j.restore.RestoreProgress;
import org.litestream4j.restore.RestoreProgress.Phase;

/** A line on a terminal that is updated in place. */
final class ProgressLine implements RestoreListener, AutoCloseable {

    private static final int WIDTH = 24;

    private static final double MEGABYTE = 1e6;

    private final PrintWriter err;

    private int written;

    ProgressLine(PrintWriter err) {
        this.err = err;
    }

    /** Returns whether the output is a terminal. */
    @SuppressWarnings("SystemConsoleNull") // both checks are needed: null on older Java, isTerminal on newer
    static boolean isTerminal() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (NoSuchMethodException e) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }

    @Override
    public void onProgress(RestoreProgress progress) {
        replace(text(progress));
    }

    static String text(RestoreProgress progress) {
        String phase = progress.phase().name().toLowerCase(Locale.ROOT);
        if (progress.phase() != Phase.READING || progress.totalBytes() == 0) {
            return phase;
        }
        int done = (int) (WIDTH * progress.bytes() / progress.totalBytes());
        String remaining = progress.remaining()
                .map(left -> String.format(Locale.ROOT, ", %d s left", left.toSeconds() + 1))
                .orElse("");
        return String.format(
                Locale.ROOT,
                "%s [%s%s] %.1f of %.1f MB, file %d of %d, %.1f MB/s%s",
                phase,
                "#".repeat(done),
                ".".repeat(WIDTH - done),
                progress.bytes() / MEGABYTE,
                progress.totalBytes() / MEGABYTE,
                progress.files(),
                progress.totalFiles(),
                progress.bytesPerSecond() / MEGABYTE,
                remaining);
    }

    /** Shows another text. */
    void replace(String text) {
        err.print("\r" + text + " ".repeat(Math.max(0, written - text.length())));
        err.flush();
        written = text.length();
    }

    /** Clears the line. */
    @Override
    public void close() {
        if (written > 0) {
            replace("");
            err.print("\r");
            err.flush();
        }
    }
}
