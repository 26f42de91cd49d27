package org.litestream4j.internal.capture.explore;

import java.util.ArrayList;
import java.util.List;

/**
 * One element of a sequence: an action, by itself or in the middle of the engine's next step. A sequence is a line of text: {@code
 * a1 C f1@7 R} lets the other process commit at the seventh point of the checkpoint.
 *
 * @param at before which point of the engine's next step it happens; {@link #ALONE} if it is a step by itself
 */
record Move(Action action, int at) {

    static final int ALONE = -1;

    static Move of(Action action) {
        return new Move(action, ALONE);
    }

    boolean isAlone() {
        return at == ALONE;
    }

    @Override
    public String toString() {
        return isAlone() ? action.token() : action.token() + "@" + at;
    }

    static String format(List<Move> moves) {
        return String.join(" ", moves.stream().map(Move::toString).toList());
    }

    static List<Move> parse(String text) {
        List<Move> moves = new ArrayList<>();
        for (String token : text.strip().split("\\s+", -1)) {
            int mark = token.indexOf('@');
            if (mark >= 0) {
                moves.add(new Move(Action.of(token.substring(0, mark)), Integer.parseInt(token.substring(mark + 1))));
            } else if (!token.isEmpty()) {
                moves.add(of(Action.of(token)));
            }
        }
        return moves;
    }
}
