package org.litestream4j.ltx;

import org.junit.jupiter.api.Test;

/** What a reader rejects in the frames around the pages, one test each; the file is right in every other respect. */
class LtxPageRejectionTest extends LtxRejectionFixture {

    @Test
    void pgno_ofZeroWithFlags_isRejected() {
        RawLtx file = increment();
        file.endMarker = new byte[] {0, 0, 0, 0, 0, 1};
        assertRejected(file, "end marker", file.offset(3));
    }

    @Test
    void pgno_beyondTheCommit_isRejected() {
        RawLtx file = increment().block(11, page);
        assertRejected(file, "pgno", file.offset(3));
        file = increment().block(0xFFFF_FFFFL, page);
        assertRejected(file, "pgno", file.offset(3));
    }

    @Test
    void pgno_ofTheLockPage_isRejected() {
        long lockPgno = LockPage.pgno(PAGE_SIZE);
        RawLtx file = new RawLtx(LtxFiles.header(PAGE_SIZE, lockPgno + 5, 7, 7))
                .block(1, page)
                .block(lockPgno, page)
                .block(lockPgno + 1, page);
        assertRejected(file, "lock page", file.offset(1));
    }

    @Test
    void pgno_thatDoesNotAscend_isRejected() {
        RawLtx file = increment().block(9, page);
        assertRejected(file, "pgno order", file.offset(3));
        file = increment().block(3, page);
        assertRejected(file, "pgno order", file.offset(3));
    }

    @Test
    void snapshot_withAGap_isRejected() {
        RawLtx file =
                new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(1, page).block(3, page);
        assertRejected(file, "snapshot gap", file.offset(1));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(2, page).block(3, page);
        assertRejected(file, "snapshot gap", file.offset(0));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4)).block(1, page).block(2, page);
        assertRejected(file, "snapshot gap", file.offset(2));
        file = new RawLtx(LtxFiles.header(PAGE_SIZE, 3, 1, 4));
        assertRejected(file, "snapshot gap", file.offset(0));
    }

    @Test
    void pageFlags_thatAreUnknown_areRejected() {
        RawLtx file = increment();
        file.frames.add(new RawLtx.Frame(10, 2, null, new byte[20], page));
        assertRejected(file, "page flags", file.offset(3) + 4);
        file = increment();
        file.frames.add(new RawLtx.Frame(10, 0x8001, 20, new byte[20], page));
        assertRejected(file, "page flags", file.offset(3) + 4);
    }
}
