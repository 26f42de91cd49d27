package org.litestream4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Locale;
import org.litestream4j.restore.FollowListener;
import org.litestream4j.restore.FollowState;
import picocli.CommandLine;

/** Writes a line for each state to standard output, and each problem that is being retried once to standard error. */
final class FollowOutput implements FollowListener {

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean json;
    private final ProgressLine progress;

    /** @param progress progress of the first restore, which ends with the first state */
    FollowOutput(CommandLine commandLine, boolean json, ProgressLine progress) {
        this.out = commandLine.getOut();
        this.err = commandLine.getErr();
        this.json = json;
        this.progress = progress;
    }

    @Override
    public void onState(FollowState state) {
        progress.close();
        out.println(json ? Json.writeLine(Json.Follow.of(state)) : text(state));
        out.flush();
    }

    private static String text(FollowState state) {
        String step = state.step().name().toLowerCase(Locale.ROOT);
        Instant timestamp = state.timestamp();
        String time = timestamp == null ? "" : " of " + timestamp + ", " + state.pages() + " pages";
        return step + " " + state.database() + ": TXID " + state.txid() + time;
    }

    @Override
    public void onProblem(IOException problem) {
        err.println("warning: " + ErrorText.oneLine(ErrorText.of(problem)) + "; will retry");
        err.flush();
    }

    @Override
    public void onRecovered() {
        err.println("following continues");
        err.flush();
    }
}
