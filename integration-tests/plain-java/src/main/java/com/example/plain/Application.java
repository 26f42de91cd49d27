package com.example.plain;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.litestream4j.DatabaseConfig;
import org.litestream4j.Litestream;
import org.litestream4j.replica.ReplicaLocation;
import org.sqlite.SQLiteDataSource;

/** Adds a note to a replicated database, as the README shows it, and returns all notes. */
public final class Application {

    private Application() {}

    public static List<String> run(Path file, String replica, String note) throws Exception {
        var sqlite = new SQLiteDataSource();
        sqlite.setUrl("jdbc:sqlite:" + file);
        var config = DatabaseConfig.builder(file, ReplicaLocation.of(replica)).build();
        try (Litestream litestream = Litestream.builder().build()) {
            litestream.restoreIfMissing(config);
            DataSource dataSource = litestream.register(config).wrap(sqlite);
            return add(dataSource, note);
        }
    }

    private static List<String> add(DataSource dataSource, String note) throws Exception {
        List<String> notes = new ArrayList<>();
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("create table if not exists note (text text)");
            try (PreparedStatement insert = connection.prepareStatement("insert into note values (?)")) {
                insert.setString(1, note);
                insert.executeUpdate();
            }
            try (ResultSet rows = statement.executeQuery("select text from note order by rowid")) {
                while (rows.next()) {
                    notes.add(rows.getString(1));
                }
            }
        }
        return notes;
    }
}
