package org.litestream4j.restore;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongPredicate;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;

/** Pages that lead a standby to a later state. They are verified, lie in a local file, and are read more than once. */
interface StandbyUpdate {

    int pageSize();

    /** Returns the size of the database after the update in pages; at least 1. */
    long commit();

    /** Visits the wanted pages in ascending order; never the lock page. */
    void forEach(LongPredicate wanted, Visitor visitor) throws IOException;

    /** Receives pages. */
    @FunctionalInterface
    interface Visitor {
        /**
         * Receives a page.
         *
         * @param page content of the page, valid only during the call
         */
        void page(long pgno, byte[] page) throws IOException;
    }

    /** A merged LTX file with the changed pages. */
    record Increment(Path file, LtxHeader header) implements StandbyUpdate {
        @Override
        public int pageSize() {
            return header.pageSize();
        }

        @Override
        public long commit() {
            return header.commit();
        }

        @Override
        public void forEach(LongPredicate wanted, Visitor visitor) throws IOException {
            try (LtxReader reader =
                    LtxReader.open(new BufferedInputStream(Files.newInputStream(file)), file.toString())) {
                while (reader.next()) {
                    if (wanted.test(reader.pgno())) {
                        visitor.page(reader.pgno(), reader.page());
                    }
                }
            }
        }
    }

    /** A restored database with all pages. */
    record Image(Path file, int pageSize, long commit) implements StandbyUpdate {
        @Override
        public void forEach(LongPredicate wanted, Visitor visitor) throws IOException {
            byte[] page = new byte[pageSize];
            long lockPage = LockPage.pgno(pageSize);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                for (long pgno = 1; pgno <= commit; pgno++) {
                    if (pgno != lockPage && wanted.test(pgno)) {
                        readPage(channel, pgno, page);
                        visitor.page(pgno, page);
                    }
                }
            }
        }
    }

    /** Reads a whole page at its position in the file. */
    static void readPage(FileChannel channel, long pgno, byte[] page) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(page);
        long start = (pgno - 1) * page.length;
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, start + buffer.position()) < 0) {
                throw new IOException("the file ends inside page " + pgno);
            }
        }
    }
}
