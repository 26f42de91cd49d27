package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Path;

/** What is in the database: the states that SQLite counted as committed, and whether somebody changed it behind SQLite's back. */
final class Content {

    private final Path database;
    private final History history = new History();
    private int number;

    /** Whether who opens it first may find another state than the last one. */
    private boolean unsure;

    /** Whether it was changed behind SQLite's back, and no capture was of the present content since. */
    private boolean doubtful;

    /** Whether connections may have pages in their caches that are not in the database any more. */
    private boolean stale;

    Content(Path database, byte[] template) {
        this.database = database;
        history.add(Pages.hash(template), "start");
    }

    History history() {
        return history;
    }

    /** For the next write, which differs from all before. */
    int nextNumber() {
        return ++number;
    }

    /** Adds the states of an answer to a write. */
    void committed(String hashes, String action) throws IOException {
        if (!hashes.equals(Connections.BUSY)) {
            if (stale) {
                history.add(peek(), action);
                return;
            }
            for (String hash : hashes.split(" ", -1)) {
                history.add(hash, action + " " + number);
            }
        }
    }

    /** Frames are in the WAL that SQLite does not count until it reads the WAL anew, or others are damaged. */
    void becameUnsure() {
        unsure = true;
    }

    boolean isUnsure() {
        return unsure;
    }

    /** Who opens a database that nobody has open counts what the WAL has: the commit of a killed writer, too. */
    void recovered(String action) throws IOException {
        if (unsure) {
            history.add(peek(), action + ", recovered");
            unsure = false;
        }
    }

    /** Somebody wrote to the database file while others have it open. */
    void overwritten(String action) throws IOException {
        doubtful = true;
        stale = true;
        history.add(peek(), action);
    }

    boolean isDoubtful() {
        return doubtful;
    }

    /**
     * What was captured is the present content.
     *
     * @param captured hash of it
     */
    void settleDoubt(String captured) throws IOException {
        if (doubtful) {
            history.add(peek(), "seen after it was overwritten");
            doubtful = !captured.equals(history.current());
        }
    }

    /** What decides how it goes on. */
    String state() {
        return (unsure ? "u" : "-") + (doubtful ? "d" : "-") + (stale ? "s" : "-");
    }

    /** The hash of what a new connection sees; somebody else has the database open. */
    String peek() throws IOException {
        return new Connections().obey("peek " + database);
    }

    String counts() throws IOException {
        return new Connections().obey("counts " + database);
    }
}
