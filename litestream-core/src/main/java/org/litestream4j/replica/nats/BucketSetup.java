package org.litestream4j.replica.nats;

import io.nats.client.Message;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.StorageType;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.api.StreamInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaAccessException;
import org.litestream4j.replica.RequestListener.RequestResult;
import org.litestream4j.replica.RequestListener.RequestType;
import org.litestream4j.replica.nats.NatsSettings.NewBucket;

/** Checks whether the bucket can hold a replica, and creates the bucket if permitted. */
final class BucketSetup {

    private final NatsBucket bucket;
    private final NatsSettings settings;

    BucketSetup(NatsBucket bucket) {
        this.bucket = bucket;
        settings = bucket.settings();
    }

    /** @throws ReplicaAccessException if the bucket cannot be used; names the cause and the remedy */
    void prepare() throws IOException {
        StreamInfo info = info();
        if (info == null) {
            NewBucket wanted = settings.newBucket();
            if (wanted == null) {
                throw ApiErrors.noBucket(settings, null);
            }
            create(wanted);
            info = info();
        }
        if (info != null) {
            check(info.getConfiguration());
        }
        long payload = bucket.link().connection().getServerInfo().getMaxPayload();
        if (payload < NatsBucket.NEEDED_MESSAGE_SIZE) {
            throw ApiErrors.tooLarge(settings, "messages of the server (max_payload)", payload, null);
        }
    }

    /** Returns the stream of the bucket; null if there is none. */
    @Nullable
    StreamInfo info() throws IOException {
        return info(bucket.ask(RequestType.HEAD, "STREAM.INFO." + bucket.stream(), new byte[0]));
    }

    /** Does the same as {@link #info()} with one request, which is not repeated. */
    @Nullable
    StreamInfo infoOnce() throws IOException {
        return info(bucket.askOnce(RequestType.HEAD, "STREAM.INFO." + bucket.stream(), new byte[0]));
    }

    private @Nullable StreamInfo info(Message answer) throws IOException {
        StreamInfo info = new StreamInfo(answer);
        if (info.hasError() && info.getApiErrorCode() == ApiErrors.NO_STREAM) {
            bucket.report(RequestType.HEAD, RequestResult.NOT_FOUND, 0, 0);
            return null;
        }
        bucket.check(info, RequestType.HEAD, "describe the bucket");
        bucket.report(RequestType.HEAD, RequestResult.SUCCESS, 0, 0);
        bucket.allowsDirect(info.getConfiguration().getAllowDirect());
        return info;
    }

    /** Returns whether one more chunk exceeds the limit of the bucket. */
    boolean isFull() throws IOException {
        StreamInfo info = info();
        if (info == null) {
            return false;
        }
        StreamConfiguration limits = info.getConfiguration();
        long bytes = info.getStreamState().getByteCount();
        return (limits.getMaxBytes() > 0 && bytes + NatsBucket.NEEDED_MESSAGE_SIZE > limits.getMaxBytes())
                || (limits.getMaxMsgs() > 0 && info.getStreamState().getMsgCount() >= limits.getMaxMsgs());
    }

    private void create(NewBucket wanted) throws IOException {
        String subjects = "$O." + settings.bucket();
        StreamConfiguration stream = StreamConfiguration.builder()
                .name(bucket.stream())
                .subjects(subjects + ".C.>", subjects + ".M.>")
                .storageType(wanted.inMemory() ? StorageType.Memory : StorageType.File)
                .replicas(wanted.replicas())
                .maxBytes(wanted.maxBytes())
                .discardPolicy(DiscardPolicy.New)
                .allowRollup(true)
                .allowDirect(true)
                .build();
        Message answer = bucket.ask(
                RequestType.PUT,
                "STREAM.CREATE." + bucket.stream(),
                stream.toJson().getBytes(StandardCharsets.UTF_8));
        StreamInfo created = new StreamInfo(answer);
        if (created.hasError() && created.getApiErrorCode() == ApiErrors.STREAM_EXISTS) {
            bucket.report(RequestType.PUT, RequestResult.CONFLICT, 0, 0);
            return; // created by another process, with settings of its own, which apply
        }
        bucket.check(created, RequestType.PUT, "create the bucket");
        bucket.report(RequestType.PUT, RequestResult.SUCCESS, 0, 0);
    }

    private void check(StreamConfiguration stream) throws ReplicaAccessException {
        String remedy = "";
        if (stream.getSealed() || stream.getDenyPurge() || !stream.getAllowRollup()) {
            remedy = "it must not be sealed and must allow purges and roll-ups";
        } else if (stream.getMaximumMessageSize() > 0
                && stream.getMaximumMessageSize() < NatsBucket.NEEDED_MESSAGE_SIZE) {
            throw ApiErrors.tooLarge(
                    settings, "messages of the stream (max_msg_size)", stream.getMaximumMessageSize(), null);
        } else if (!stream.getMaxAge().isZero()) {
            remedy = "it has a time to live (" + stream.getMaxAge()
                    + "), after which parts of the backup vanish: take it away and let the retention settings delete";
        } else if (stream.getDiscardPolicy() == DiscardPolicy.Old
                && (stream.getMaxBytes() > 0 || stream.getMaxMsgs() > 0)) {
            remedy = "when full it discards the oldest messages, which breaks backups: set its discard policy to new";
        } else if (stream.getMaxMsgsPerSubject() > 0) {
            remedy = "it limits the messages per subject, but a file has many under one: take that limit away";
        }
        if (!remedy.isEmpty()) {
            throw new ReplicaAccessException(
                    settings.url(), "the bucket " + settings.bucket() + " cannot hold a replica", remedy, null);
        }
    }

    /** Returns whether the bucket is missing and {@link #prepare} will create it. */
    boolean isStillToCome() throws IOException {
        return settings.newBucket() != null && info() == null;
    }
}
