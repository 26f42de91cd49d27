package org.litestream4j.internal.capture;

import java.io.IOException;
import org.litestream4j.internal.wal.WalScan;

/**
 * Single pages of an attached database as they are now, for comparisons that need not be exact: while others write and
 * checkpoint, pages may be of neighbouring states. Confined to the capture lane; valid until its next call.
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

    /** In bytes. */
    public int pageSize() {
        return pageSize;
    }

    /** Size of the database, in pages. */
    public long commit() {
        return commit;
    }

    /** A page; ask for them in ascending order. */
    public byte[] read(long pgno) throws IOException {
        byte[] page = new byte[pageSize];
        source.read(pgno, page);
        return page;
    }
}
