package org.litestream4j.internal.capture.explore;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;

/**
 * Times of files as a coarse clock stamps them: whatever happens between two ticks bears the time of the first. Real times only
 * tell that something has changed.
 */
final class HeldTimes implements BiFunction<Path, long[], long[]> {

    private static final long TICK_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Path folder;
    private final boolean held;
    private final Map<String, Stamp> stamps = new HashMap<>();
    private long now = TimeUnit.SECONDS.toNanos(1_800_000_000L);

    private record Stamp(long realModified, long realChanged, long modified, long changed) {}

    /** @param held false if times are those of the file system */
    HeldTimes(Path folder, boolean held) {
        this.folder = folder;
        this.held = held;
    }

    boolean isHeld() {
        return held;
    }

    @Override
    public long[] apply(Path path, long[] real) {
        if (!held) {
            return real;
        }
        Stamp before = stamps.get(path.toString());
        Stamp stamp = before == null
                ? new Stamp(real[0], real[1], now, now)
                : new Stamp(
                        real[0],
                        real[1],
                        real[0] == before.realModified() ? before.modified() : now,
                        real[1] == before.realChanged() ? before.changed() : now);
        stamps.put(path.toString(), stamp);
        return new long[] {stamp.modified(), stamp.changed()};
    }

    /** What happened so far keeps its time. */
    void tick() throws IOException {
        if (held) {
            stampAll(folder);
        }
        now += TICK_NANOS;
    }

    private void stampAll(Path in) throws IOException {
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(in)) {
            for (Path path : paths) {
                if (Files.isDirectory(path)) {
                    stampAll(path);
                } else {
                    Map<String, Object> found = Files.readAttributes(path, "unix:lastModifiedTime,ctime");
                    apply(path, new long[] {nanos(found.get("lastModifiedTime")), nanos(found.get("ctime"))});
                }
            }
        }
    }

    private static long nanos(Object time) {
        return ((FileTime) time).to(TimeUnit.NANOSECONDS);
    }
}
