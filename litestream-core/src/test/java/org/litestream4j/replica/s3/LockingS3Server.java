package org.litestream4j.replica.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.ReplicaLocation;

/**
 * An S3 server in memory whose bucket has versioning and Object Lock: a deletion without a version only hides an object, and
 * the deletion of a locked version is refused. Checks no signatures.
 */
final class LockingS3Server implements AutoCloseable {

    /** How a store may fail to lock. */
    enum Defect {
        NONE,
        /** The bucket was created without Object Lock: writes with a lock are refused. */
        NOT_CONFIGURED,
        /** Headers are ignored. */
        IGNORES_HEADERS,
        /** Locks are stored, but locked objects are deleted. */
        DELETES_LOCKED
    }

    private static final Pattern OBJECT = Pattern.compile("<Key>([^<]*)</Key>");
    private static final Pattern PART = Pattern.compile("<PartNumber>(\\d+)</PartNumber>");

    /** @param content null for a delete marker */
    record Version(
            String id,
            byte @Nullable [] content,
            Map<String, String> metadata,
            Instant written,
            String mode,
            @Nullable Instant until) {

        boolean isLocked(Instant now) {
            return until != null && now.isBefore(until);
        }
    }

    private record Upload(String key, Map<String, String> headers, TreeMap<Integer, byte[]> parts) {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Clock clock;
    private final TreeMap<String, List<Version>> objects = new TreeMap<>(); // the newest version is the last
    private final Map<String, Upload> uploads = new HashMap<>();
    private int numbers;

    volatile Defect defect = Defect.NONE;

    /** Refuses all deletions of versions, as a policy would. */
    volatile boolean denied;

    /** Deletions of locked versions that were refused. */
    int refusals;

    int versionDeletions;

    LockingS3Server(Clock clock) throws IOException {
        this.clock = clock;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    ReplicaLocation location(String path, String parameters) {
        return ReplicaLocation.of("s3://bucket/" + path + "?endpoint=127.0.0.1:"
                + server.getAddress().getPort() + "&accessKeyId=id&secretAccessKey=secret" + parameters);
    }

    synchronized Map<String, List<Version>> all() {
        Map<String, List<Version>> copy = new LinkedHashMap<>();
        objects.forEach((key, versions) -> copy.put(key, List.copyOf(versions)));
        return copy;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
            String path = exchange.getRequestURI().getPath();
            String key = path.replaceFirst("^/bucket/?", "");
            byte[] body = body(exchange);
            Answer answer;
            synchronized (this) {
                answer = answer(exchange, exchange.getRequestMethod(), key, query, body);
            }
            answer.headers.forEach(exchange.getResponseHeaders()::set);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            if (head) {
                exchange.getResponseHeaders().set("Content-Length", Integer.toString(answer.body.length));
            }
            exchange.sendResponseHeaders(answer.status, head || answer.body.length == 0 ? -1 : answer.body.length);
            if (!head && answer.body.length > 0) {
                try (OutputStream out = exchange.getResponseBody()) {
                    out.write(answer.body);
                }
            }
        }
    }

    private record Answer(int status, Map<String, String> headers, byte[] body) {
        static Answer of(int status, String xml) {
            return new Answer(status, new HashMap<>(), xml.getBytes(StandardCharsets.UTF_8));
        }

        static Answer error(int status, String code) {
            return of(status, "<Error><Code>" + code + "</Code><Message>no</Message></Error>");
        }

        Answer with(String header, @Nullable String value) {
            if (value != null) {
                headers.put(header, value);
            }
            return this;
        }
    }

    private Answer answer(HttpExchange exchange, String method, String key, Map<String, String> query, byte[] body) {
        if (method.equals("GET") && query.containsKey("versions")) {
            return versions(query.getOrDefault("prefix", ""), query.getOrDefault("key-marker", ""));
        }
        if (method.equals("GET") && query.containsKey("uploads")) {
            return Answer.of(200, "<ListMultipartUploadsResult></ListMultipartUploadsResult>");
        }
        if (method.equals("GET") && key.isEmpty()) {
            return list(query);
        }
        if (method.equals("POST") && query.containsKey("delete")) {
            Matcher keys = OBJECT.matcher(new String(body, StandardCharsets.UTF_8));
            while (keys.find()) {
                objects.computeIfAbsent(keys.group(1), each -> new ArrayList<>())
                        .add(marker());
            }
            return Answer.of(200, "<DeleteResult></DeleteResult>");
        }
        if (method.equals("POST") && query.containsKey("uploads")) {
            String id = "upload-" + ++numbers;
            uploads.put(id, new Upload(key, headers(exchange), new TreeMap<>()));
            return Answer.of(
                    200,
                    "<InitiateMultipartUploadResult><UploadId>" + id + "</UploadId></InitiateMultipartUploadResult>");
        }
        if (query.containsKey("uploadId")) {
            return part(method, query, body);
        }
        return switch (method) {
            case "PUT" -> put(key, headers(exchange), body);
            case "DELETE" -> delete(key, query.get("versionId"));
            default ->
                get(key, query.get("versionId"), exchange.getRequestHeaders().getFirst("Range"));
        };
    }

    private Answer part(String method, Map<String, String> query, byte[] body) {
        Upload upload = uploads.get(query.get("uploadId"));
        if (upload == null) {
            return Answer.error(404, "NoSuchUpload");
        }
        if (method.equals("PUT")) {
            upload.parts().put(Integer.parseInt(query.get("partNumber")), body);
            return Answer.of(200, "").with("ETag", "\"part\"");
        }
        uploads.remove(query.get("uploadId"));
        if (method.equals("DELETE")) {
            return Answer.of(204, "");
        }
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        Matcher parts = PART.matcher(new String(body, StandardCharsets.UTF_8));
        while (parts.find()) {
            all.writeBytes(upload.parts().get(Integer.parseInt(parts.group(1))));
        }
        put(upload.key(), upload.headers(), all.toByteArray());
        return Answer.of(200, "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
    }

    private Answer put(String key, Map<String, String> headers, byte[] body) {
        if (headers.containsKey("if-none-match") && newest(key) != null) {
            return Answer.error(412, "PreconditionFailed");
        }
        String mode = headers.get("x-amz-object-lock-mode");
        Instant until = mode == null ? null : Instant.parse(headers.get("x-amz-object-lock-retain-until-date"));
        if (mode != null && defect == Defect.NOT_CONFIGURED) {
            return Answer.error(400, "InvalidRequest");
        }
        if (until != null && !until.isAfter(clock.instant())) {
            return Answer.error(400, "InvalidArgument");
        }
        Map<String, String> metadata = new HashMap<>();
        headers.forEach((name, value) -> {
            if (name.startsWith("x-amz-meta-")) {
                metadata.put(name, value);
            }
        });
        boolean ignored = defect == Defect.IGNORES_HEADERS;
        Version version = new Version(
                "v" + ++numbers,
                body,
                metadata,
                clock.instant(),
                ignored || mode == null ? "" : mode,
                ignored ? null : until);
        objects.computeIfAbsent(key, each -> new ArrayList<>()).add(version);
        return Answer.of(200, "").with("x-amz-version-id", version.id()).with("ETag", etag(version));
    }

    private Version marker() {
        return new Version("m" + ++numbers, null, Map.of(), clock.instant(), "", null);
    }

    private Answer delete(String key, @Nullable String id) {
        List<Version> versions = objects.computeIfAbsent(key, each -> new ArrayList<>());
        if (id == null) {
            versions.add(marker());
            return Answer.of(204, "");
        }
        for (Version version : versions) {
            if (version.id().equals(id)) {
                if (denied || (version.isLocked(clock.instant()) && defect != Defect.DELETES_LOCKED)) {
                    refusals++;
                    return Answer.error(403, "AccessDenied");
                }
                versions.remove(version);
                versionDeletions++;
                break;
            }
        }
        if (versions.isEmpty()) {
            objects.remove(key);
        }
        return Answer.of(204, "");
    }

    private @Nullable Version newest(String key) {
        List<Version> versions = objects.getOrDefault(key, List.of());
        Version last = versions.isEmpty() ? null : versions.get(versions.size() - 1);
        return last == null || last.content() == null ? null : last;
    }

    private Answer get(String key, @Nullable String id, @Nullable String range) {
        Version version = id == null
                ? newest(key)
                : objects.getOrDefault(key, List.of()).stream()
                        .filter(each -> each.id().equals(id))
                        .findFirst()
                        .orElse(null);
        if (version == null || version.content() == null) {
            return Answer.error(404, "NoSuchKey");
        }
        byte[] content = version.content();
        int status = 200;
        Map<String, String> headers = new HashMap<>(version.metadata());
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-", 2);
            int from = Integer.parseInt(ends[0]);
            if (from >= content.length) {
                return Answer.error(416, "InvalidRange");
            }
            int to = ends[1].isEmpty() ? content.length : Math.min(content.length, Integer.parseInt(ends[1]) + 1);
            headers.put("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
            content = Arrays.copyOfRange(content, from, to);
            status = 206;
        }
        Answer answer = new Answer(status, headers, content)
                .with("ETag", etag(version))
                .with("x-amz-version-id", version.id())
                .with(
                        "Last-Modified",
                        DateTimeFormatter.RFC_1123_DATE_TIME.format(
                                version.written().atOffset(ZoneOffset.UTC)));
        if (version.until() != null) {
            answer.with("x-amz-object-lock-mode", version.mode())
                    .with("x-amz-object-lock-retain-until-date", version.until().toString());
        }
        return answer;
    }

    private static String etag(Version version) {
        return "\"" + version.id() + "\"";
    }

    private Answer list(Map<String, String> query) {
        String prefix = query.getOrDefault("prefix", "");
        String after = query.getOrDefault("start-after", "");
        StringBuilder xml = new StringBuilder("<ListBucketResult><IsTruncated>false</IsTruncated>");
        for (String key : objects.tailMap(prefix).keySet()) {
            Version version = newest(key);
            if (!key.startsWith(prefix)) {
                break;
            }
            if (version != null && version.content() != null && key.compareTo(after) > 0) {
                xml.append("<Contents><Key>")
                        .append(key)
                        .append("</Key><LastModified>")
                        .append(version.written())
                        .append("</LastModified><ETag>")
                        .append(version.id())
                        .append("</ETag><Size>")
                        .append(version.content().length)
                        .append("</Size></Contents>");
            }
        }
        return Answer.of(200, xml.append("</ListBucketResult>").toString());
    }

    private Answer versions(String prefix, String after) {
        StringBuilder xml = new StringBuilder("<ListVersionsResult><IsTruncated>false</IsTruncated>");
        objects.tailMap(prefix).forEach((key, versions) -> {
            if (key.startsWith(prefix) && key.compareTo(after) > 0) {
                for (int i = versions.size() - 1; i >= 0; i--) {
                    Version version = versions.get(i);
                    String tag = version.content() == null ? "DeleteMarker" : "Version";
                    xml.append("<")
                            .append(tag)
                            .append("><Key>")
                            .append(key)
                            .append("</Key><VersionId>")
                            .append(version.id())
                            .append("</VersionId><LastModified>")
                            .append(version.written())
                            .append("</LastModified></")
                            .append(tag)
                            .append(">");
                }
            }
        });
        return Answer.of(200, xml.append("</ListVersionsResult>").toString());
    }

    private static Map<String, String> headers(HttpExchange exchange) {
        Map<String, String> headers = new HashMap<>();
        exchange.getRequestHeaders().forEach((name, values) -> headers.put(name.toLowerCase(), values.get(0)));
        return headers;
    }

    private static Map<String, String> query(@Nullable String raw) {
        Map<String, String> query = new HashMap<>();
        for (String pair : raw == null ? new String[0] : raw.split("&", -1)) {
            String[] parts = pair.split("=", 2);
            query.put(parts[0], parts.length < 2 ? "" : URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        return query;
    }

    /** The content, without the frames of AWS's chunked encoding. */
    private static byte[] body(HttpExchange exchange) throws IOException {
        byte[] raw = exchange.getRequestBody().readAllBytes();
        if (exchange.getRequestHeaders().getFirst("x-amz-decoded-content-length") == null) {
            return raw;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int at = 0;
        while (true) {
            int end = at;
            while (raw[end] != '\r') {
                end++;
            }
            String line = new String(raw, at, end - at, StandardCharsets.ISO_8859_1);
            int size = Integer.parseInt(line.split(";", 2)[0], 16);
            if (size == 0) {
                return out.toByteArray();
            }
            out.write(raw, end + 2, size);
            at = end + 2 + size + 2;
        }
    }
}
