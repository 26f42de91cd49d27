package org.litestream4j.replica.s3;

import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.litestream4j.internal.files.UrlPath;
import org.litestream4j.replica.OtherBackup;
import org.litestream4j.replica.RequestListener.RequestType;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.CommonPrefix;

/** Finds backups at an address that are not replicas under the keys of this client. Takes a few listings. */
final class S3OtherBackups {

    private static final Pattern LEVEL = Pattern.compile("000[0-9]/");

    /** Matches a prefix that ends with a level. */
    private static final Pattern INSIDE = Pattern.compile("((?:.*/)?)(000[0-9])/?");

    private static final Pattern FOLDER_LEVEL = Pattern.compile("[0-9]/");

    private final S3Context context;

    S3OtherBackups(S3Context context) {
        this.context = context;
    }

    Optional<OtherBackup> find() throws IOException {
        String prefix = context.settings().prefix();
        for (String other : otherPrefixes()) {
            if (holds(other + "/", LEVEL)) {
                return Optional.of(new OtherBackup(
                        "no files are below the key \"" + prefix + "/\", but a replica is below \"" + other
                                + "/\", which a similar URL names, or did in an earlier version",
                        "to use it, name that key: set path to \"" + other + "\""
                                + (other.isEmpty() ? ", or write s3://bucket/ with the slash" : "")
                                + "; or copy its objects to \"" + prefix + "/\""));
            }
        }
        Matcher inside = INSIDE.matcher(prefix);
        if (inside.matches() && holds(inside.group(1), LEVEL)) {
            return Optional.of(new OtherBackup(
                    "the URL names the level " + inside.group(2) + " inside the replica below \"" + inside.group(1)
                            + "\"",
                    "leave " + inside.group(2) + " out of the URL"));
        }
        if (holds(context.keys().copiedFolder(), FOLDER_LEVEL)) {
            return Optional.of(new OtherBackup(
                    "below \"" + context.keys().copiedFolder()
                            + "\" are the files of a folder replica (ltx/0/…), copied into the bucket; in a bucket they are at"
                            + " 0000/…",
                    "copy the objects of ltx/0/ to \"" + context.keys().level(0) + "\", and so on up to ltx/9/ and \""
                            + context.keys().level(9) + "\"; or download them and use a file: replica"));
        }
        return holds(context.keys().generations(), Pattern.compile(".+"))
                ? Optional.of(OtherBackup.generations())
                : Optional.empty();
    }

    /** Returns the other prefixes of the same bucket: in Litestream, s3://bucket and s3://bucket/ differ. */
    private Set<String> otherPrefixes() {
        String prefix = context.settings().prefix();
        Set<String> others = new LinkedHashSet<>();
        others.add(context.settings().formerPrefix());
        String plain = UrlPath.clean(prefix);
        others.add(plain);
        if (plain.isEmpty()) {
            others.addAll(List.of(".", ""));
        }
        others.remove(prefix);
        return others;
    }

    /** Returns whether a common prefix below a key has a matching name. */
    private boolean holds(String key, Pattern name) throws IOException {
        try {
            List<CommonPrefix> folders = context.calls()
                    .run(
                            RequestType.LIST,
                            0,
                            client -> client.listObjectsV2(
                                    request -> request.bucket(context.settings().bucket())
                                            .prefix(key)
                                            .delimiter("/")))
                    .commonPrefixes();
            return folders.stream()
                    .anyMatch(folder -> name.matcher(folder.prefix().substring(key.length()))
                            .matches());
        } catch (SdkException e) {
            boolean refused = e instanceof AwsServiceException answer && answer.statusCode() / 100 == 4;
            if (refused && !key.startsWith(context.keys().root())) {
                return false; // credentials may be limited to the replica's keys; some stores reject such keys
            }
            throw context.failures().translate(e, "list " + key);
        }
    }
}
