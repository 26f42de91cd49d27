package org.litestream4j.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxMerger;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/** What tests of the engine do with databases and replicas in folders. */
public final class SqliteFixture {

    private SqliteFixture() {}

    /** A source of physical connections, as a pool would use. */
    public static SQLiteDataSource dataSource(Path database) {
        SQLiteConfig config = new SQLiteConfig();
        config.setBusyTimeout(30_000);
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + database);
        return source;
    }

    public static void execute(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    public static long query(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    public static String text(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** The level-0 files of a replica in a folder, in order. */
    public static List<LtxFileName> level0(Path replica) throws IOException {
        return level(replica, 0);
    }

    /** Number of pages in a level-0 file. */
    public static int pages(Path replica, LtxFileName name) throws IOException {
        int count = 0;
        try (LtxReader reader = open(replica, 0, name)) {
            while (reader.next()) {
                count++;
            }
        }
        return count;
    }

    /** The files of a level of a replica in a folder, in order. */
    public static List<LtxFileName> level(Path replica, int level) throws IOException {
        List<LtxFileName> names = new ArrayList<>();
        Path folder = replica.resolve("ltx").resolve(Integer.toString(level));
        if (Files.isDirectory(folder)) {
            try (var paths = Files.list(folder)) {
                paths.forEach(
                        path -> LtxFileName.parse(path.getFileName().toString()).ifPresent(names::add));
            }
        }
        names.sort(null);
        return names;
    }

    /** The merge of the newest snapshot and all level-0 files after it, written out: independent of the restore package. */
    public static void mergeLevel0(Path replica, Path target) throws IOException {
        List<LtxReader> readers = new ArrayList<>();
        Txid snapshot = Txid.NONE;
        List<LtxFileName> snapshots = level(replica, 9);
        if (!snapshots.isEmpty()) {
            LtxFileName newest = snapshots.get(snapshots.size() - 1);
            readers.add(open(replica, 9, newest));
            snapshot = newest.max();
        }
        for (LtxFileName name : level0(replica)) {
            if (name.max().isAfter(snapshot)) {
                readers.add(open(replica, 0, name));
            }
        }
        try (LtxMerger merger = LtxMerger.open(readers);
                var channel = Files.newByteChannel(
                        target, java.nio.file.StandardOpenOption.CREATE_NEW, java.nio.file.StandardOpenOption.WRITE)) {
            while (merger.next()) {
                channel.position((merger.pgno() - 1) * merger.header().pageSize());
                channel.write(java.nio.ByteBuffer.wrap(merger.page()));
            }
        }
    }

    /** Merges files of a level into one of another. */
    public static void merge(Path replica, int from, List<LtxFileName> names, int to) throws IOException {
        List<LtxReader> readers = new ArrayList<>();
        for (LtxFileName name : names) {
            readers.add(open(replica, from, name));
        }
        LtxFileName merged =
                new LtxFileName(names.get(0).min(), names.get(names.size() - 1).max());
        Path target = replica.resolve("ltx/" + to + "/" + merged);
        try (LtxMerger merger = LtxMerger.open(readers);
                OutputStream out = Files.newOutputStream(target)) {
            merger.writeTo(out, PageEncoding.FRAME); // other bytes than the engine writes
        }
    }

    /** Deletes a folder and all below. */
    public static void deleteTree(Path folder) throws IOException {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static LtxReader open(Path replica, int level, LtxFileName name) throws IOException {
        Path path = replica.resolve("ltx").resolve(Integer.toString(level)).resolve(name.toString());
        InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
        return LtxReader.open(in, path.toString(), name);
    }

    /** {@code ok} for a sound database. */
    public static String integrity(Path database) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + database)) {
            return text(connection, "PRAGMA integrity_check");
        }
    }
}
