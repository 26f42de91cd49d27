package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.Path;

/** What one process, other than the engine, has open of the database. */
final class Client {

    private final Party party;
    private final Path database;
    private final Path wal;
    private final Content content;
    private boolean open;
    private boolean reads;
    private boolean writes;

    /** What SQLite counted when the reader began. */
    private String mark = "";

    Client(Party party, Path database, Path wal, Content content) {
        this.party = party;
        this.database = database;
        this.wal = wal;
        this.content = content;
    }

    boolean isOpen() {
        return open;
    }

    boolean isReading() {
        return reads;
    }

    boolean isWriting() {
        return writes;
    }

    /** @param first whether nobody has the database open */
    void open(boolean first, String action) throws IOException {
        if (!open) {
            open = party.obey("open " + database).equals(Connections.OK);
            if (open && first) {
                content.recovered(action);
            }
        }
    }

    void write(String kind, String action) throws IOException {
        if (open) {
            content.committed(party.obey("write " + kind + " " + content.nextNumber()), action);
        }
    }

    void beginRead() throws IOException {
        if (open) {
            mark = party.obey("begin-read");
            reads = !mark.equals(Connections.BUSY);
        }
    }

    void endRead() throws IOException {
        if (reads) {
            party.obey("end-read");
        }
        reads = false;
    }

    void beginWrite() throws IOException {
        writes = open && party.obey("begin-write " + content.nextNumber()).equals(Connections.OK);
    }

    void endWrite(String action) throws IOException {
        if (writes) {
            content.committed(party.obey("end-write"), action);
        }
        writes = false;
    }

    void checkpoint(String mode) throws IOException {
        if (open) {
            party.obey("checkpoint " + mode);
        }
    }

    /** Frames of a commit that SQLite does not count. */
    void phantom() throws IOException {
        if (open) {
            String answer = party.obey("phantom " + content.nextNumber());
            if (!answer.equals(Connections.BUSY)) {
                String[] counts = answer.split(" ", -1);
                if (PhantomCommit.forge(wal, Long.parseLong(counts[0]), Integer.parseInt(counts[1]))) {
                    content.becameUnsure();
                }
            }
        }
    }

    void close() throws IOException {
        if (open) {
            party.obey("close");
        }
        open = false;
        reads = false;
        writes = false;
    }

    /** What decides how it goes on. */
    String state() {
        return (open ? "o" : "-") + (writes ? "w" : "-") + (reads ? "r" + mark : "-");
    }
}
