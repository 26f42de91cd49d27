package org.litestream4j.internal.engine;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.io.IOException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.internal.capture.LiveImage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hands images of the database from the capture lane, which opens them, to the compaction lane, which writes them to
 * snapshots. At most one image is requested at a time. Thread-safe.
 */
final class SnapshotImages {

    private static final Logger log = LoggerFactory.getLogger(SnapshotImages.class);

    private final Runnable changed;
    private final BooleanSupplier unwanted;

    @GuardedBy("this")
    private boolean requested;

    @GuardedBy("this")
    private @Nullable Handed handedOver;

    @GuardedBy("this")
    private int open;

    /**
     * @param changed called after an image was requested, handed over, or closed
     * @param unwanted returns whether an image that is handed over is closed immediately
     */
    SnapshotImages(Runnable changed, BooleanSupplier unwanted) {
        this.changed = changed;
        this.unwanted = unwanted;
    }

    /**
     * An image that was handed over.
     *
     * @param history number of the history whose transactions it contains
     */
    record Handed(LiveImage image, int history) {}

    /** Requests an image. */
    void request() {
        synchronized (this) {
            requested = true;
        }
        changed.run();
    }

    /** Returns whether an image was requested and not yet handed over. */
    synchronized boolean isWanted() {
        return requested && handedOver == null;
    }

    /** Returns whether an image was requested and not yet taken. */
    synchronized boolean isRequested() {
        return requested;
    }

    /** Returns whether an image was handed over and not yet closed, so that a reader holds the database. */
    synchronized boolean isOpen() {
        return open > 0;
    }

    /**
     * Hands over an image, which this object closes.
     *
     * @param history number of the history at the moment when it was opened
     */
    void put(LiveImage image, int history) {
        Handed unused = new Handed(image, history);
        synchronized (this) {
            open++;
            if (unwanted.getAsBoolean()) {
                requested = false;
            } else {
                Handed before = handedOver;
                handedOver = unused;
                unused = before;
            }
        }
        close(unused == null ? null : unused.image());
        changed.run();
    }

    /** Takes the image that was handed over, which must be {@link #close closed} here; null if there is none. */
    synchronized @Nullable Handed take() {
        Handed handed = handedOver;
        handedOver = null;
        if (handed != null) {
            requested = false;
        }
        return handed;
    }

    /** Closes an image that was handed over and not taken; its request then counts as withdrawn. */
    void discard() {
        Handed handed = take();
        close(handed == null ? null : handed.image());
    }

    void close(@Nullable LiveImage image) {
        if (image == null) {
            return;
        }
        try {
            image.close();
        } catch (IOException e) {
            log.debug("closing an image failed", e);
        } finally {
            synchronized (this) {
                open--;
            }
            changed.run();
        }
    }
}
