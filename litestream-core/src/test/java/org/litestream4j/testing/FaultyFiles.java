package org.litestream4j.testing;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The files of the default file system, behind paths that fail at random from a seed: calls before or after they took effect, writes in
 * the middle, an fsync that loses what was written. Writes may be short without an error. Thread-safe.
 */
public final class FaultyFiles {

    /** What can fail. */
    public enum Call {
        OPEN,
        READ,
        WRITE,
        FORCE,
        CREATE,
        MOVE,
        DELETE,
        LIST
    }

    private enum Mode {
        CALM,
        RANDOM,
        FULL
    }

    private final FaultyFileSystem system = new FaultyFileSystem(this);
    private final Random random;
    private final Map<Call, Integer> faults = new EnumMap<>(Call.class);
    private Mode mode = Mode.CALM;
    private int most;
    private int left;
    private int shortWrites;
    private int tornWrites;
    private volatile boolean losingWrites;
    private volatile boolean withoutStores;
    private boolean hanging;
    private Path hangingWrites;
    private int waiting;
    private volatile LongConsumer beforeRead = at -> {};
    private volatile Consumer<Call> beforeCall = call -> {};

    public FaultyFiles(long seed) {
        random = new Random(seed);
    }

    /** The same place, with faults. */
    public Path path(Path real) {
        return new FaultyPath(system, real);
    }

    /** One of at most so many calls fails, again and again. */
    public synchronized void failOneOf(int calls) {
        mode = Mode.RANDOM;
        most = calls;
        left = 1 + random.nextInt(calls);
    }

    /** Nothing can be written or created. */
    public synchronized void fill() {
        mode = Mode.FULL;
    }

    /** Nothing fails; writes may still be short. */
    public synchronized void calm() {
        mode = Mode.CALM;
    }

    /** Writes take no effect, and no error tells. */
    public void loseWrites() {
        losingWrites = true;
    }

    /** No file store is found, as in some containers. */
    public void hideStores() {
        withoutStores = true;
    }

    /** Runs an action before each read at a position, which it gets. */
    public void beforeRead(LongConsumer action) {
        beforeRead = action;
    }

    /** Runs an action before each call. */
    public void beforeCall(Consumer<Call> action) {
        beforeCall = action;
    }

    /** How many calls of each kind failed. */
    public synchronized Map<Call, Integer> faults() {
        return new EnumMap<>(faults);
    }

    public synchronized int shortWrites() {
        return shortWrites;
    }

    /** Of the failed writes, those that wrote a part. */
    public synchronized int tornWrites() {
        return tornWrites;
    }

    /** Calls for attributes do not return until {@link #release}, as those of a network file system whose server is away. */
    public synchronized void hang() {
        hanging = true;
    }

    /** Writes to files below a folder do not return until {@link #release}. */
    public synchronized void hangWrites(Path folder) {
        hangingWrites = folder;
    }

    public synchronized void release() {
        hanging = false;
        hangingWrites = null;
        notifyAll();
    }

    /** Whether a call hangs. */
    public synchronized boolean isWaiting() {
        return waiting > 0;
    }

    synchronized void awaitRelease() {
        await(() -> hanging);
    }

    synchronized void awaitWrites(Path file) {
        await(() -> hangingWrites != null && FaultyPath.real(file).startsWith(hangingWrites));
    }

    private synchronized void await(BooleanSupplier hangs) {
        waiting++;
        while (hangs.getAsBoolean()) {
            try {
                wait();
            } catch (InterruptedException e) {
                throw new AssertionError("threads that use files are never interrupted", e);
            }
        }
        waiting--;
    }

    boolean strikes(Call call) {
        beforeCall.accept(call);
        return isStruck(call);
    }

    private synchronized boolean isStruck(Call call) {
        boolean strikes =
                switch (mode) {
                    case CALM -> false;
                    case FULL -> call == Call.WRITE || call == Call.CREATE;
                    case RANDOM -> --left <= 0;
                };
        if (strikes) {
            left = most == 0 ? 0 : 1 + random.nextInt(most);
            faults.merge(call, 1, Integer::sum);
        }
        return strikes;
    }

    synchronized int random(int bound) {
        return random.nextInt(bound);
    }

    static IOException error(Path path, String text) {
        return new FileSystemException(path.toString(), null, text);
    }

    void reading(long at) {
        beforeRead.accept(at);
    }

    boolean losesWrites() {
        return losingWrites;
    }

    boolean hidesStores() {
        return withoutStores;
    }

    synchronized void countShortWrite() {
        shortWrites++;
    }

    synchronized void countTornWrite() {
        tornWrites++;
    }
}
