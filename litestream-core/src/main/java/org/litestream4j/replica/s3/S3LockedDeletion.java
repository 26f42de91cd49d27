package org.litestream4j.replica.s3;

import java.io.IOException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;

/**
 * Deletes the versions of files whose locks have expired. A deletion without a version would only hide the file. One
 * instance for each call of the client.
 */
final class S3LockedDeletion {

    private record Version(String key, String id) {}

    private final S3Context context;
    private final ObjectLock lock;
    private final Clock clock;
    private final int level;

    private final Map<String, List<Version>> files = new LinkedHashMap<>();
    private final Map<String, List<Version>> markers = new HashMap<>();
    private final Set<String> locked = new LinkedHashSet<>();
    private final Set<String> failed = new LinkedHashSet<>();
    private @Nullable Instant firstUnlocked;
    private @Nullable IOException failure;

    S3LockedDeletion(S3Context context, ObjectLock lock, Clock clock, int level) {
        this.context = context;
        this.lock = lock;
        this.clock = clock;
        this.level = level;
    }

    /** @throws ReplicaDeleteException if files remain; with {@code lockedUntil} if they are only locked */
    void delete(Set<LtxFileName> names) throws IOException {
        Map<String, LtxFileName> byKey = new LinkedHashMap<>();
        for (LtxFileName name : new TreeSet<>(names)) {
            byKey.put(context.keys().key(level, name), name);
        }
        find(byKey.keySet());
        for (String key : byKey.keySet()) {
            if (!locked.contains(key)) {
                deleteAll(key);
            }
        }
        List<LtxFileName> remaining = new ArrayList<>();
        byKey.forEach((key, name) -> {
            if (locked.contains(key) || failed.contains(key)) {
                remaining.add(name);
            }
        });
        Instant until = firstUnlocked;
        if (!failed.isEmpty()) {
            throw new ReplicaDeleteException(
                    context.settings().url(),
                    remaining,
                    "cannot delete " + failed.size() + " of " + names.size() + " files of level " + level,
                    failure instanceof ReplicaAccessException refused ? refused.remedy() : "",
                    failure);
        }
        if (!remaining.isEmpty() && until != null) {
            throw new ReplicaDeleteException(context.settings().url(), remaining, until);
        }
    }

    /** Finds the versions of keys, which are in ascending order. */
    private void find(Set<String> keys) throws IOException {
        String prefix = context.keys().level(level);
        List<String> sorted = List.copyOf(keys);
        String last = sorted.get(sorted.size() - 1);
        String first = sorted.get(0);
        String keyMarker = first.substring(0, first.length() - 1); // before the key, and after all earlier names
        String idMarker = null;
        while (keyMarker != null) {
            ListObjectVersionsResponse page = page(prefix, keyMarker, idMarker);
            page.versions().forEach(version -> {
                if (keys.contains(version.key())) {
                    files.computeIfAbsent(version.key(), key -> new ArrayList<>())
                            .add(new Version(version.key(), version.versionId()));
                    noteAge(version.key(), version.lastModified());
                }
            });
            page.deleteMarkers().forEach(marker -> {
                if (keys.contains(marker.key())) {
                    markers.computeIfAbsent(marker.key(), key -> new ArrayList<>())
                            .add(new Version(marker.key(), marker.versionId()));
                }
            });
            boolean more = Boolean.TRUE.equals(page.isTruncated())
                    && page.nextKeyMarker() != null
                    && page.nextKeyMarker().compareTo(last) <= 0;
            keyMarker = more ? page.nextKeyMarker() : null;
            idMarker = more ? page.nextVersionIdMarker() : null;
        }
    }

    private void noteAge(String key, Instant written) {
        Instant unlocked = written.plus(lock.retain());
        if (clock.instant().isBefore(unlocked)) {
            noteLocked(key, unlocked);
        }
    }

    private void noteLocked(String key, Instant until) {
        locked.add(key);
        firstUnlocked = firstUnlocked == null || until.isBefore(firstUnlocked) ? until : firstUnlocked;
    }

    private ListObjectVersionsResponse page(String prefix, String keyMarker, @Nullable String idMarker)
            throws IOException {
        try {
            return context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectVersions(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(prefix)
                                            .keyMarker(keyMarker)
                                            .versionIdMarker(idMarker)));
        } catch (SdkException e) {
            throw context.failures().translate(e, "list the versions of " + prefix);
        }
    }

    private void deleteAll(String key) throws IOException {
        for (Version version : files.getOrDefault(key, List.of())) {
            if (!delete(version)) {
                return;
            }
        }
        for (Version marker : markers.getOrDefault(key, List.of())) {
            if (!delete(marker)) {
                return;
            }
        }
    }

    /** Deletes one version. Returns whether it is gone. */
    private boolean delete(Version version) throws IOException {
        try {
            context.calls()
                    .run(
                            RequestType.DELETE,
                            0,
                            client -> client.deleteObject(
                                    request -> request.bucket(context.settings().bucket())
                                            .key(version.key())
                                            .versionId(version.id())));
            return true;
        } catch (SdkException e) {
            if (S3Failures.isMissing(e)) {
                return true;
            }
            Instant until = S3Failures.status(e) == 403 ? lockedUntil(version) : null;
            if (until != null && until.isAfter(clock.instant())) {
                noteLocked(version.key(), until);
            } else {
                failed.add(version.key());
                failure = failure == null ? context.failures().translate(e, "delete " + version.key()) : failure;
            }
            return false;
        }
    }

    /** Returns the end of the lock of a version; null if it has none, or if that cannot be determined. */
    private @Nullable Instant lockedUntil(Version version) throws IOException {
        try {
            HeadObjectResponse head = context.calls()
                    .run(
                            RequestType.HEAD,
                            0,
                            client -> client.headObject(context.requests().head(version.key()).toBuilder()
                                    .versionId(version.id())
                                    .build()));
            return head.objectLockRetainUntilDate();
        } catch (SdkException e) {
            return null;
        }
    }
}
