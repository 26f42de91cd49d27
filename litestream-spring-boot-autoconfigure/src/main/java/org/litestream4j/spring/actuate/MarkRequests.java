package org.litestream4j.spring.actuate;

import static org.litestream4j.spring.actuate.RequestException.echo;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.replica.Mark;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreTarget;

/** Answers the requests about marks. */
final class MarkRequests {

    private MarkRequests() {}

    /** Marks of a database, ordered by name. */
    record MarkList(List<MarkDescription> marks) {}

    static MarkList list(ManagedDatabase database) {
        try {
            return new MarkList(
                    database.marks().stream().map(MarkDescription::of).toList());
        } catch (IOException e) {
            throw unavailable(e);
        }
    }

    static MarkDescription find(ManagedDatabase database, String name) {
        return list(database).marks().stream()
                .filter(mark -> mark.name().equals(name))
                .findFirst()
                .orElseThrow(() -> noSuch(database, name));
    }

    static MarkDescription add(
            ManagedDatabase database,
            @Nullable String name,
            RestoreTarget target,
            @Nullable Duration expiresAfter,
            Duration timeout)
            throws InterruptedException {
        if (name == null) {
            throw RequestException.badRequest("name: the name of the mark is missing");
        }
        try {
            return MarkDescription.of(database.mark(name, target, expiresAfter, timeout));
        } catch (IllegalArgumentException e) {
            throw RequestException.badRequest("name, expiresAfter: " + e.getMessage());
        } catch (RestoreException e) {
            throw switch (e.reason()) {
                case MARK_EXISTS -> new RequestException(RequestException.CONFLICT, String.valueOf(e.getMessage()));
                case TXID_NOT_AVAILABLE, TIME_NOT_AVAILABLE, GAP, NO_BACKUP, NO_SUCH_MARK ->
                    RequestException.badRequest(String.valueOf(e.getMessage()));
                default -> unavailable(e);
            };
        } catch (IOException e) {
            throw unavailable(e);
        }
    }

    static MarkList remove(ManagedDatabase database, String name) {
        if (!Mark.isName(name)) {
            throw noSuch(database, name);
        }
        try {
            if (!database.removeMark(name)) {
                throw noSuch(database, name);
            }
        } catch (IOException e) {
            throw unavailable(e);
        }
        return list(database);
    }

    private static RequestException noSuch(ManagedDatabase database, String name) {
        return new RequestException(RequestException.NOT_FOUND, echo(name) + ": no such mark of " + database.name());
    }

    private static RequestException unavailable(IOException e) {
        return new RequestException(RequestException.SERVICE_UNAVAILABLE, String.valueOf(e.getMessage()));
    }
}
