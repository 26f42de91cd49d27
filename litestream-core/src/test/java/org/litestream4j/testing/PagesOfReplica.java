package org.litestream4j.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.ltx.LockPage;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.Txid;

/**
 * Applies the level-0 files of a replica in a folder one after the other, in the plainest way: a list of pages in memory.
 * Independent of merger and restore, so that it can judge both.
 */
public final class PagesOfReplica {

    private final Path replica;
    private List<byte[]> pages = new ArrayList<>();
    private int pageSize;
    private Txid txid = Txid.NONE;

    public PagesOfReplica(Path replica) {
        this.replica = replica;
    }

    public Txid txid() {
        return txid;
    }

    public int pageSize() {
        return pageSize;
    }

    /** The pages now, from page 1 on. */
    public List<byte[]> pages() {
        return pages;
    }

    /** Applies files up to a transaction. False if no file ends with it. */
    public boolean applyTo(Txid target) throws IOException {
        applyFirst();
        for (LtxFileName name : SqliteFixture.level0(replica)) {
            if (name.max().isAfter(txid) && !name.max().isAfter(target)) {
                apply(0, name);
            }
        }
        return txid.equals(target);
    }

    /** Applies all files that there are now. */
    public void applyAll() throws IOException {
        applyFirst();
        for (LtxFileName name : SqliteFixture.level0(replica)) {
            if (name.max().isAfter(txid)) {
                apply(0, name);
            }
        }
    }

    /** The first transaction of a replica is a snapshot. */
    private void applyFirst() throws IOException {
        LtxFileName first = LtxFileName.of(new Txid(1));
        if (txid.isNone() && SqliteFixture.level(replica, 9).contains(first)) {
            apply(9, first);
        }
    }

    private void apply(int level, LtxFileName name) throws IOException {
        if (!name.min().equals(txid.next())) {
            throw new IOException("a hole in level 0: " + name + " follows on " + txid);
        }
        Path path = replica.resolve("ltx").resolve(Integer.toString(level)).resolve(name.toString());
        try (LtxReader reader =
                LtxReader.open(new BufferedInputStream(Files.newInputStream(path)), path.toString(), name)) {
            int size = reader.header().pageSize();
            int commit = Math.toIntExact(reader.header().commit());
            if (size != pageSize) {
                pages = new ArrayList<>();
                pageSize = size;
            }
            int before = pages.size();
            while (pages.size() > commit) {
                pages.remove(pages.size() - 1);
            }
            while (pages.size() < commit) {
                pages.add(null);
            }
            while (reader.next()) {
                pages.set((int) reader.pgno() - 1, reader.page().clone());
            }
            for (int pgno = Math.max(1, before); pgno <= commit; pgno++) {
                if (pages.get(pgno - 1) == null) {
                    if (pgno != LockPage.pgno(size)) {
                        throw new IOException(
                                name + " grows the database to " + commit + " pages without page " + pgno);
                    }
                    pages.set(pgno - 1, new byte[size]);
                }
            }
        }
        txid = name.max();
    }

    /** Writes the database out. */
    public void writeTo(Path target) throws IOException {
        try (var out = new java.io.BufferedOutputStream(Files.newOutputStream(target))) {
            for (byte[] page : pages) {
                out.write(page);
            }
        }
    }
}
