package org.litestream4j.replica.s3;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.ReplicaDeleteException;
import org.litestream4j.replica.RequestListener.RequestType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;

/**
 * Deletes files: many by one request if the store supports it, otherwise one by one. One instance for each call of the
 * client.
 */
final class S3Deletion {

    private static final Logger LOG = LoggerFactory.getLogger(S3Deletion.class);

    /** Maximum number of files of one request, as defined by the protocol. */
    private static final int BATCH = 1000;

    /** What a client has learned about its store. */
    static final class Bulk {
        private volatile boolean possible;

        Bulk(boolean possible) {
            this.possible = possible;
        }
    }

    private final S3Context context;

    private final Bulk bulk;

    private final int level;

    private final List<LtxFileName> remaining = new ArrayList<>();

    private boolean anyDeleted;

    private @Nullable IOException failure;

    S3Deletion(S3Context context, Bulk bulk, int level) {
        this.context = context;
        this.bulk = bulk;
        this.level = level;
    }

    void delete(Set<LtxFileName> names) throws IOException {
        List<LtxFileName> all = List.copyOf(names);
        for (int start = 0; start < all.size(); start += BATCH) {
            List<LtxFileName> batch = all.subList(start, Math.min(all.size(), start + BATCH));
            if (batch.size() > 1 && bulk.possible) {
                deleteTogether(batch);
            } else {
                deleteSingly(batch);
            }
        }
        if (remaining.isEmpty()) {
            return;
        }
        if (!anyDeleted && failure instanceof ReplicaAccessException refused) {
            throw refused;
        }
        throw new ReplicaDeleteException(
                context.settings().url(),
                remaining,
                "cannot delete " + remaining.size() + " of " + all.size() + " files of level " + level + ", first "
                        + remaining.get(0),
                failure instanceof ReplicaAccessException refused ? refused.remedy() : "",
                failure);
    }

    private void deleteTogether(List<LtxFileName> batch) throws IOException {
        Map<String, LtxFileName> left = new LinkedHashMap<>();
        batch.forEach(name -> left.put(context.keys().key(level, name), name));
        for (int attempt = 1; !left.isEmpty(); attempt++) {
            DeleteObjectsResponse response;
            try {
                response = send(left.keySet());
            } catch (SdkException e) {
                if (S3Failures.isUnsupported(e) || S3Failures.isBadDigest(e)) {
                    withoutBulk(List.copyOf(left.values()));
                } else {
                    failed(left.values(), context.failures().translate(e, "delete files"));
                }
                return;
            }
            boolean mayPass = attempt < context.calls().retryPolicy().attempts();
            Map<String, LtxFileName> again = new LinkedHashMap<>();
            for (S3Error error : response.errors()) {
                LtxFileName name = left.get(error.key());
                if (name == null) { // the failed file is unknown: no file is known to be deleted
                    failed(left.values(), context.failures().ofCode(error.code(), "delete files"));
                    return;
                }
                if ("NoSuchKey".equals(error.code())) {
                    continue;
                }
                if (mayPass && S3Failures.passingCode(error.code())) {
                    again.put(error.key(), name);
                } else {
                    failed(Set.of(name), context.failures().ofCode(error.code(), "delete " + error.key()));
                }
            }
            anyDeleted |= response.errors().size() < left.size();
            left.keySet().retainAll(again.keySet());
            if (!left.isEmpty()) {
                context.calls().pause(context.calls().retryPolicy().pause(attempt));
            }
        }
    }

    private DeleteObjectsResponse send(Set<String> keys) throws IOException {
        List<ObjectIdentifier> objects = keys.stream()
                .map(key -> ObjectIdentifier.builder().key(key).build())
                .toList();
        return context.calls()
                .run(
                        RequestType.DELETE,
                        0,
                        client -> client.deleteObjects(request -> request.bucket(
                                        context.settings().bucket())
                                .delete(delete -> delete.objects(objects).quiet(true))));
    }

    private void withoutBulk(List<LtxFileName> batch) throws IOException {
        int before = remaining.size();
        deleteSingly(batch);
        if (remaining.size() == before && bulk.possible) {
            bulk.possible = false;
            LOG.info(
                    "the store refuses to delete several files at once, deleting one by one: replica={}",
                    context.settings().url());
        }
    }

    private void deleteSingly(List<LtxFileName> batch) throws IOException {
        for (int i = 0; i < batch.size(); i++) {
            String key = context.keys().key(level, batch.get(i));
            try {
                context.calls()
                        .run(
                                RequestType.DELETE,
                                0,
                                client -> client.deleteObject(request -> request.bucket(
                                                context.settings().bucket())
                                        .key(key)));
                anyDeleted = true;
            } catch (SdkException e) {
                if (S3Failures.isMissing(e)) {
                    continue;
                }
                boolean general = !anyDeleted || S3Failures.mayPass(e); // the other files would fail, too
                failed(
                        general ? batch.subList(i, batch.size()) : List.of(batch.get(i)),
                        context.failures().translate(e, "delete " + key));
                if (general) {
                    return;
                }
            }
        }
    }

    private void failed(Iterable<LtxFileName> names, IOException why) {
        names.forEach(remaining::add);
        if (failure == null) {
            failure = why;
        }
    }
}
