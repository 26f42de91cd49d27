package org.litestream4j.internal.capture;

import java.io.IOException;
import org.litestream4j.internal.wal.WalScan;

/**
 * Current pages of an attached database, for comparisons that need not be exact: while other connections write and run
 * checkpoints, pages can be from neighbouring states. Confined to the capture lane; valid until the next call of {@link
 * Capture}.
 */
public final class LivePages {

    private final PageSource source;
    private final int pageSize;
    private final long commit;

    private LivePages(PageSource source, int pageSize, long commit) {
        this.source = source;
        this.pageSize = pageSize;
        this.commit = commit;
    }

    static LivePages of(Attachment attachment) throws IOException {
        OpenFiles files = attachment.files();
        SqliteSession session = attachment.session();
        WalScan scan = attachment.committed();
        int pageSize = session.pageSize();
        long commit = scan.found() ? scan.commit() : session.pageCount();
        long copied = scan.found() ? session.count().copied() : 0;
        return new LivePages(
                new PageSource(files.database(), files.wal(), scan.pages(), copied, pageSize), pageSize, commit);
    }

    /** Returns the page size in bytes. */
    public int pageSize() {
        return pageSize;
    }

    /** Returns the size of the database in pages. */
    public long commit() {
        return commit;
    }

    /** Reads a page. Fastest in ascending order of page numbers. */
    public byte[] read(long pgno) throws IOException {
        byte[] page = new byte[pageSize];
        source.read(pgno, page);
        return page;
    }
}
