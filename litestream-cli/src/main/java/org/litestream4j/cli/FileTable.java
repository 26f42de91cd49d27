package org.litestream4j.cli;

import java.io.PrintWriter;
import org.litestream4j.replica.LtxFileInfo;

/** Formats LTX files as lines of text, with a heading if there are any. */
final class FileTable {

    private final PrintWriter out;

    private boolean headed;

    FileTable(PrintWriter out) {
        this.out = out;
    }

    /** Returns a number of files in words, such as {@code 1 file} or {@code 2 files}. */
    static String count(long files) {
        return files + (files == 1 ? " file" : " files");
    }

    void add(LtxFileInfo file) {
        if (!headed) {
            out.printf("%-5s  %-16s  %-16s  %12s  %s%n", "level", "min txid", "max txid", "bytes", "timestamp");
            headed = true;
        }
        out.printf(
                "%-5d  %-16s  %-16s  %12d  %s%n",
                file.level(),
                file.minTxid(),
                file.maxTxid(),
                file.size(),
                file.exact() ? file.timestamp() : "before " + file.timestamp());
    }
}
