package org.litestream4j.replica.s3;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener.Operation;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/** Lists one level, page by page: in memory is one page at a time. */
final class S3Listing {

    private static final long ALMOST_A_SECOND = 999_999_999;

    private final S3Context context;

    private final int level;

    private final String prefix;

    private final Txid from;

    private @Nullable LtxFileName last;

    S3Listing(S3Context context, int level, Txid from) {
        this.context = context;
        this.level = level;
        this.prefix = context.keys().level(level);
        this.from = from;
    }

    void visit(ReplicaClient.Visitor visitor) throws IOException {
        String token = null;
        do {
            ListObjectsV2Response page = page(token);
            for (S3Object object : page.contents()) {
                LtxFileName name = S3Keys.name(object.key(), prefix).orElse(null);
                if (name == null || name.min().isBefore(from)) {
                    continue;
                }
                checkOrder(name);
                if (!visitor.visit(info(name, object))) {
                    return;
                }
            }
            token = next(page);
        } while (token != null);
    }

    private ListObjectsV2Response page(@Nullable String token) throws IOException {
        String start = token == null && !from.isNone() ? context.keys().before(level, from) : null;
        try {
            return context.calls()
                    .run(
                            Operation.LIST,
                            0,
                            client -> client.listObjectsV2(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(prefix)
                                            .startAfter(start)
                                            .continuationToken(token)));
        } catch (SdkException e) {
            throw context.failures().translate(e, "list " + prefix);
        }
    }

    private @Nullable String next(ListObjectsV2Response page) throws IOException {
        if (!Boolean.TRUE.equals(page.isTruncated())) {
            return null;
        }
        if (page.nextContinuationToken() == null) {
            throw new ReplicaException(
                    context.settings().url(), "the store cut the listing of " + prefix + " short", "", null);
        }
        return page.nextContinuationToken();
    }

    /** A store that lists in another order would let a restore miss files. */
    private void checkOrder(LtxFileName name) throws IOException {
        if (last != null && last.compareTo(name) >= 0) {
            throw new ReplicaException(
                    context.settings().url(),
                    "the store lists " + prefix + " out of order: " + name + " after " + last,
                    "use a bucket that lists by name (a general purpose bucket)",
                    null);
        }
        last = name;
    }

    private LtxFileInfo info(LtxFileName name, S3Object object) {
        return new LtxFileInfo(level, name, object.size(), roundedUp(object.lastModified()), false);
    }

    /** Listings cut to whole seconds; the file's own timestamp must not come out later than this. */
    private static Instant roundedUp(Instant lastModified) {
        boolean cut = lastModified.equals(lastModified.truncatedTo(ChronoUnit.SECONDS));
        return cut ? lastModified.plusNanos(ALMOST_A_SECOND) : lastModified;
    }
}
