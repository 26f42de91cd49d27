package org.litestream4j.replica.s3;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaException;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Lists one or several levels page by page, with one page in memory at a time. A page contains the next keys by name,
 * including those of other levels; keys that were not requested are skipped where that saves pages.
 */
final class S3Listing {

    private static final long ALMOST_A_SECOND = 999_999_999;

    private final S3Context context;

    private final String prefix;

    private final int firstLevel;

    /** First transaction to list, by level. */
    private final List<Txid> from;

    /** Prefix of the keys of each level. */
    private final List<String> prefixes = new ArrayList<>();

    private @Nullable LtxFileInfo last;

    private S3Listing(S3Context context, String prefix, int firstLevel, List<Txid> from) {
        this.context = context;
        this.prefix = prefix;
        this.firstLevel = firstLevel;
        this.from = from;
        for (int i = 0; i < from.size(); i++) {
            prefixes.add(context.keys().level(firstLevel + i));
        }
    }

    static S3Listing ofLevel(S3Context context, int level, Txid from) {
        return new S3Listing(context, context.keys().level(level), level, List.of(from));
    }

    /** @param from first transaction by level */
    static S3Listing ofAll(S3Context context, List<Txid> from) {
        return new S3Listing(context, context.keys().root(), 0, from);
    }

    void visit(ReplicaClient.Visitor visitor) throws IOException {
        String start = from.get(0).isNone() ? null : context.keys().before(firstLevel, from.get(0));
        String token = null;
        while (true) {
            ListObjectsV2Response page = page(start, token);
            for (S3Object object : page.contents()) {
                LtxFileInfo file = wanted(object);
                if (file != null) {
                    checkOrder(file);
                    if (!visitor.visit(file)) {
                        return;
                    }
                }
            }
            token = next(page);
            if (token == null) {
                return;
            }
            if (!page.contents().isEmpty()) {
                String end = page.contents().get(page.contents().size() - 1).key();
                int level = levelAfter(end);
                if (level == prefixes.size()) {
                    return;
                }
                String beginning = context.keys().before(firstLevel + level, from.get(level));
                if (end.compareTo(beginning) < 0) {
                    start = beginning;
                    token = null;
                }
            }
        }
    }

    /** Returns the index of the first level that may have keys after the given one; the number of levels if there is none. */
    private int levelAfter(String key) {
        int level = 0;
        while (level < prefixes.size()
                && key.compareTo(prefixes.get(level)) > 0
                && !key.startsWith(prefixes.get(level))) {
            level++;
        }
        return level;
    }

    private @Nullable LtxFileInfo wanted(S3Object object) {
        for (int i = 0; i < prefixes.size(); i++) {
            LtxFileName name = S3Keys.name(object.key(), prefixes.get(i)).orElse(null);
            if (name != null) {
                return name.min().isBefore(from.get(i)) ? null : info(firstLevel + i, name, object);
            }
        }
        return null;
    }

    private ListObjectsV2Response page(@Nullable String start, @Nullable String token) throws IOException {
        try {
            return context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectsV2(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(prefix)
                                            .startAfter(token == null ? start : null)
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
                    context.settings().url(), "the store truncated the listing of " + prefix, "", null);
        }
        return page.nextContinuationToken();
    }

    /** Checks the order of the listing: with any other order, a restore would miss files. */
    private void checkOrder(LtxFileInfo file) throws IOException {
        LtxFileInfo before = last;
        if (before != null
                && (before.level() > file.level()
                        || (before.level() == file.level() && before.name().compareTo(file.name()) >= 0))) {
            throw new ReplicaException(
                    context.settings().url(),
                    "the store lists " + prefix + " out of order: " + file.name() + " of level " + file.level()
                            + " after " + before.name() + " of level " + before.level(),
                    "use a bucket that lists by name (a general purpose bucket)",
                    null);
        }
        last = file;
    }

    private static LtxFileInfo info(int level, LtxFileName name, S3Object object) {
        return new LtxFileInfo(level, name, object.size(), roundedUp(object.lastModified()), false);
    }

    /** Rounds up: listings are truncated to whole seconds, and the result must not be earlier than the file's own timestamp. */
    private static Instant roundedUp(Instant lastModified) {
        boolean cut = lastModified.equals(lastModified.truncatedTo(ChronoUnit.SECONDS));
        return cut ? lastModified.plusNanos(ALMOST_A_SECOND) : lastModified;
    }
}
