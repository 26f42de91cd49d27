package org.litestream4j.replica.s3;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.litestream4j.replica.s3.FaultProxy.Fault;
import org.litestream4j.replica.s3.FaultProxy.Seen;

/** A store that holds names and times only: it lists them page by page, and tells the time of each. */
final class ListedStore implements FaultProxy.Faults {

    /** When the last transaction of each object was, by key. */
    final NavigableMap<String, Instant> objects = new TreeMap<>();

    int pageSize = 1000;

    /** How much later an object is received. */
    Duration delay = Duration.ZERO;

    @Override
    public Fault next(Seen request) {
        if (!request.method().equals("HEAD")) {
            return new Fault.Answer(200, "", page(request));
        }
        String path = request.target().replaceFirst("^/" + S3Server.BUCKET + "/", "");
        Instant time = objects.get(URLDecoder.decode(path, StandardCharsets.UTF_8));
        return new Fault.Answer(
                200, "Content-Length: 7\r\nx-amz-meta-" + S3Metadata.TIMESTAMP + ": " + time + "\r\n", "");
    }

    private static String parameter(Seen request, String name) {
        Matcher matcher = Pattern.compile("[?&]" + name + "=([^&]*)").matcher(request.target());
        return matcher.find() ? URLDecoder.decode(matcher.group(1), StandardCharsets.UTF_8) : "";
    }

    private String page(Seen request) {
        String prefix = parameter(request, "prefix");
        String token = parameter(request, "continuation-token");
        String after = token.isEmpty() ? parameter(request, "start-after") : token;
        List<String> rest = objects.tailMap(after, false).keySet().stream()
                .filter(key -> key.startsWith(prefix))
                .limit(pageSize + 1L)
                .toList();
        StringBuilder page = new StringBuilder("<ListBucketResult>");
        if (!parameter(request, "delimiter").isEmpty()) {
            rest.stream()
                    .map(key -> key.substring(0, key.indexOf('/', prefix.length()) + 1))
                    .distinct()
                    .forEach(folder -> page.append("<CommonPrefixes><Prefix>")
                            .append(folder)
                            .append("</Prefix></CommonPrefixes>"));
            return page.append("</ListBucketResult>").toString();
        }
        for (String key : rest.subList(0, Math.min(pageSize, rest.size()))) {
            page.append("<Contents><Key>")
                    .append(key)
                    .append("</Key><LastModified>")
                    .append(objects.get(key).plus(delay).truncatedTo(ChronoUnit.SECONDS))
                    .append("</LastModified><Size>7</Size></Contents>");
        }
        if (rest.size() > pageSize) {
            page.append("<IsTruncated>true</IsTruncated><NextContinuationToken>")
                    .append(rest.get(pageSize - 1))
                    .append("</NextContinuationToken>");
        }
        return page.append("</ListBucketResult>").toString();
    }
}
