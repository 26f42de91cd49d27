package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Everything that may happen next, each with a short name, so that a sequence is a line of text. */
@SuppressWarnings("ImmutableEnumChecker") // the functions have no state
enum Action {
    APP_COMMITS("a1", world -> !world.isAppWriting(), world -> world.appWrite("one")),
    APP_GROWS("a+", world -> !world.isAppWriting(), world -> world.appWrite("many")),
    APP_SHRINKS("a-", world -> !world.isAppWriting(), world -> world.appWrite("shrink")),
    APP_BEGINS_READ("ar", world -> !world.isAppReading(), World::beginAppRead),
    APP_ENDS_READ("aR", World::isAppReading, World::endAppRead),
    APP_BEGINS_WRITE("aw", world -> !world.isAppWriting(), World::beginAppWrite),
    APP_ENDS_WRITE("aW", World::isAppWriting, World::endAppWrite),
    APP_TRUNCATES("at", world -> !world.isAppWriting(), world -> world.appCheckpoint("TRUNCATE")),
    APP_FAILS_FSYNC("ap", world -> !world.isAppWriting(), World::appPhantom),
    APP_CLOSES("ax", World::isAppOpen, World::closeApp),

    FOREIGN_OPENS("fo", world -> !world.isForeignOpen(), World::openForeign),
    FOREIGN_COMMITS("f1", world -> true, world -> world.foreignWrite("one")),
    FOREIGN_GROWS("f+", world -> true, world -> world.foreignWrite("many")),
    FOREIGN_SHRINKS("f-", world -> true, world -> world.foreignWrite("shrink")),
    FOREIGN_BEGINS_READ("fr", world -> !world.isForeignReading(), World::beginForeignRead),
    FOREIGN_ENDS_READ("fR", World::isForeignReading, World::endForeignRead),
    FOREIGN_PASSIVE("fp", world -> true, world -> world.foreignCheckpoint("PASSIVE")),
    FOREIGN_FULL("ff", world -> true, world -> world.foreignCheckpoint("FULL")),
    FOREIGN_RESTART("fs", world -> true, world -> world.foreignCheckpoint("RESTART")),
    FOREIGN_TRUNCATE("ft", world -> true, world -> world.foreignCheckpoint("TRUNCATE")),
    FOREIGN_FAILS_FSYNC("fh", world -> true, World::foreignPhantom),
    FOREIGN_CLOSES("fx", World::isForeignOpen, World::closeForeign),
    FOREIGN_IS_KILLED("fk", World::isForeignOpen, World::killForeign),
    /** Between its frames and the wal-index. */
    FOREIGN_IS_KILLED_COMMITTING("fK", world -> true, world -> {
        world.foreignPhantom();
        if (world.isForeignOpen()) {
            world.killForeign();
        }
    }),

    ATTACH("E", world -> !world.engine().isAttached(), World::attach),
    JUDGE(
            "J",
            world -> world.engine().isAttached()
                    && !world.engine().isContinuous()
                    && !world.engine().isUnproven(),
            World::judge),
    IMAGE("I", world -> world.engine().isUnproven(), World::image),
    CAPTURE("C", world -> world.engine().isContinuous(), World::capture),
    LOOK("L", world -> world.engine().isContinuous(), World::look),
    CHECKPOINT("R", world -> world.engine().isContinuous(), world -> world.checkpoint(true)),
    /** Soon after the last one. */
    CHECKPOINT_SOON("r", world -> world.engine().isContinuous(), world -> world.checkpoint(false)),
    /** As the application asks for it. */
    CHECKPOINT_NOW("N", world -> world.engine().isContinuous(), World::checkpointNow),
    /** While the replica has not answered. */
    CHECKPOINT_UNCAPTURED("U", world -> world.engine().isUnproven(), World::checkpointUncaptured),
    OPEN_IMAGE("S", world -> world.engine().isContinuous() && !world.engine().hasImage(), World::openImage),
    WRITE_IMAGE("W", world -> world.engine().hasImage(), world -> world.writeImage()),
    PAUSE("P", world -> world.engine().isAttached(), World::pause),
    STOP("Q", world -> world.engine().isRunning(), World::stop),
    KILL("K", world -> world.engine().isRunning() || world.isAppOpen(), World::kill),

    TICK("T", World::isTimeHeld, World::tick);

    private final String token;
    private final Predicate<World> possible;
    private final Play play;

    Action(String token, Predicate<World> possible, Play play) {
        this.token = token;
        this.possible = possible;
        this.play = play;
    }

    @FunctionalInterface
    private interface Play {
        void in(World world) throws IOException, Violation;
    }

    String token() {
        return token;
    }

    boolean isPossible(World world) {
        return possible.test(world);
    }

    void play(World world) throws IOException, Violation {
        play.in(world);
    }

    static String format(List<Action> actions) {
        return String.join(" ", actions.stream().map(Action::token).toList());
    }

    static List<Action> parse(String text) {
        List<Action> actions = new ArrayList<>();
        for (String token : text.strip().split("\\s+", -1)) {
            if (!token.isEmpty()) {
                actions.add(of(token));
            }
        }
        return actions;
    }

    private static Action of(String token) {
        for (Action action : values()) {
            if (action.token.equals(token)) {
                return action;
            }
        }
        throw new IllegalArgumentException("no action: " + token);
    }
}
