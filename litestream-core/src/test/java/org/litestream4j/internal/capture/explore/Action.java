package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Predicate;

/** Everything that may happen next, each with a short name, so that a sequence is a line of text. */
@SuppressWarnings("ImmutableEnumChecker") // the functions have no state
enum Action {
    APP_COMMITS("a1", world -> !world.app().isWriting(), world -> appWrites(world, "one")),
    APP_GROWS("a+", world -> !world.app().isWriting(), world -> appWrites(world, "many")),
    APP_SHRINKS("a-", world -> !world.app().isWriting(), world -> appWrites(world, "shrink")),
    /** The page of the last commit becomes what it was at the beginning. */
    APP_REVERTS("ab", world -> !world.app().isWriting(), world -> appWrites(world, "back")),
    APP_BEGINS_READ("ar", world -> !world.app().isReading(), world -> world.opened(world.app())
            .beginRead()),
    APP_ENDS_READ("aR", world -> world.app().isReading(), world -> world.app().endRead()),
    APP_BEGINS_WRITE("aw", world -> !world.app().isWriting(), world -> world.opened(world.app())
            .beginWrite()),
    APP_ENDS_WRITE("aW", world -> world.app().isWriting(), world -> world.app().endWrite(world.action())),
    APP_TRUNCATES("at", world -> !world.app().isWriting(), world -> world.opened(world.app())
            .checkpoint("TRUNCATE")),
    APP_FAILS_FSYNC("ap", world -> !world.app().isWriting(), world -> world.opened(world.app())
            .phantom()),
    APP_CLOSES("ax", world -> world.app().isOpen(), world -> world.app().close()),

    FOREIGN_OPENS("fo", world -> !world.foreign().isOpen(), world -> world.opened(world.foreign())),
    FOREIGN_COMMITS("f1", world -> true, world -> foreignWrites(world, "one")),
    FOREIGN_GROWS("f+", world -> true, world -> foreignWrites(world, "many")),
    FOREIGN_SHRINKS("f-", world -> true, world -> foreignWrites(world, "shrink")),
    FOREIGN_REVERTS("fb", world -> true, world -> foreignWrites(world, "back")),
    FOREIGN_BEGINS_READ("fr", world -> !world.foreign().isReading(), world -> world.opened(world.foreign())
            .beginRead()),
    FOREIGN_ENDS_READ(
            "fR", world -> world.foreign().isReading(), world -> world.foreign().endRead()),
    FOREIGN_PASSIVE("fp", world -> true, world -> foreignCheckpoints(world, "PASSIVE")),
    FOREIGN_FULL("ff", world -> true, world -> foreignCheckpoints(world, "FULL")),
    FOREIGN_RESTART("fs", world -> true, world -> foreignCheckpoints(world, "RESTART")),
    FOREIGN_TRUNCATE("ft", world -> true, world -> foreignCheckpoints(world, "TRUNCATE")),
    FOREIGN_FAILS_FSYNC(
            "fh", world -> true, world -> world.opened(world.foreign()).phantom()),
    FOREIGN_CLOSES(
            "fx", world -> world.foreign().isOpen(), world -> world.foreign().close()),
    FOREIGN_IS_KILLED("fk", world -> world.foreign().isOpen(), World::killForeign),
    /** Between its frames and the wal-index. */
    FOREIGN_IS_KILLED_COMMITTING("fK", world -> true, world -> {
        world.opened(world.foreign()).phantom();
        if (world.foreign().isOpen()) {
            world.killForeign();
        }
    }),

    /** Of one page, behind SQLite's back. */
    OVERWRITE("B", World::canBeOverwritten, World::overwrite),
    /** After everything was killed; a frame in the middle of the WAL was not on the disk yet. */
    CUT_POWER("Z", world -> !world.isInUse(), World::cutPower),

    ATTACH("E", world -> !world.engine().isAttached(), World::attach),
    JUDGE(
            "J",
            world -> world.engine().isAttached()
                    && !world.engine().isContinuous()
                    && !world.engine().isUnproven(),
            world -> world.lane().establishContinuity(world.action())),
    IMAGE("I", world -> world.engine().isUnproven(), world -> world.lane().image(world.action())),
    CAPTURE("C", world -> world.engine().isContinuous(), world -> world.lane().capture(world.action())),
    LOOK("L", world -> world.engine().isContinuous(), world -> world.lane().look(world.action())),
    CHECKPOINT(
            "R", world -> world.engine().isContinuous(), world -> world.lane().checkpoint(true)),
    /** Soon after the last one. */
    CHECKPOINT_SOON(
            "r", world -> world.engine().isContinuous(), world -> world.lane().checkpoint(false)),
    /** As the application asks for it. */
    CHECKPOINT_NOW(
            "N", world -> world.engine().isContinuous(), world -> world.lane().checkpointNow(world.action())),
    /** While the replica has not answered. */
    CHECKPOINT_UNCAPTURED(
            "U", world -> world.engine().isUnproven(), world -> world.lane().checkpointUncaptured()),
    OPEN_IMAGE("S", world -> world.engine().isContinuous() && !world.engine().hasImage(), world -> world.lane()
            .openImage(world.action())),
    WRITE_IMAGE("W", world -> world.engine().hasImage(), world -> world.lane().writeImage()),
    PAUSE("P", world -> world.engine().isAttached(), world -> world.lane().pause(world.action())),
    STOP("Q", world -> world.engine().isRunning(), world -> world.lane().stop(world.action())),
    KILL("K", world -> world.engine().isRunning() || world.app().isOpen(), World::kill),

    TICK("T", World::isTimeHeld, World::tick);

    private static final Set<Action> OF_ENGINE = EnumSet.range(ATTACH, STOP);

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

    /** Whether it is a step of the engine, in which others may come between. */
    boolean isOfEngine() {
        return OF_ENGINE.contains(this);
    }

    /** Whether it may come between two points of a step of the engine. */
    boolean isBetween() {
        return !isOfEngine() && this != TICK;
    }

    private static void appWrites(World world, String kind) throws IOException {
        world.opened(world.app()).write(kind, world.action());
    }

    private static void foreignWrites(World world, String kind) throws IOException {
        world.opened(world.foreign()).write(kind, world.action());
    }

    private static void foreignCheckpoints(World world, String mode) throws IOException {
        world.opened(world.foreign()).checkpoint(mode);
    }

    static Action of(String token) {
        for (Action action : values()) {
            if (action.token.equals(token)) {
                return action;
            }
        }
        throw new IllegalArgumentException("no action: " + token);
    }
}
