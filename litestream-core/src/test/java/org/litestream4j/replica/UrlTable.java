package org.litestream4j.replica;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Which object Litestream 0.5.17 means by a URL. The interop tests compare the table with the program itself. */
public final class UrlTable {

    private UrlTable() {}

    /** Paths of absolute {@code file://} URLs, and the folder below the same root. */
    public static Stream<Arguments> files() {
        return rows(List.of(
                "/plain", "/plain",
                "/a b", "/a%20b",
                "/a%20b", "/a%20b",
                "/a+b", "/a+b",
                "/ü", "/%C3%BC",
                "/%C3%BC", "/%C3%BC",
                "/日本/語", "/%E6%97%A5%E6%9C%AC/%E8%AA%9E",
                "/a%2Fb", "/a%2Fb",
                "/a%2fb", "/a%2fb",
                "/a%41b", "/a%41b",
                "/a b%2Fc", "/a%20b/c",
                "/a%3Fb", "/a%3Fb",
                "/a%23b", "/a%23b",
                "/a%25b", "/a%25b",
                "/a(1)", "/a(1)",
                "/a b(1)", "/a%20b%281%29",
                "/a[1]", "/a[1]",
                "/a\"q", "/a%22q",
                "/x/../s", "/s",
                "/x/%2e%2e/b", "/x/%2e%2e/b",
                "/slash/", "/slash",
                "//double//slash", "/double/slash",
                "/~x", "/~x",
                "/a:b", "/a:b",
                "/a;b=c,d$e&f@g'h*i!j", "/a;b=c,d$e&f@g'h*i!j",
                "/a|b^c`d{e}", "/a%7Cb%5Ec%60d%7Be%7D",
                "/a\\b", "/a%5Cb",
                "/e\u0301", "/e%CC%81"));
    }

    /** What follows the bucket, and the prefix of the keys. */
    public static Stream<Arguments> objects() {
        return rows(List.of(
                "", ".",
                "/", "",
                "/a", "a",
                "/a+b", "a+b",
                "/a%2Bc", "a+c",
                "/a b", "a b",
                "/a%20c", "a c",
                "/ü", "ü",
                "/%C3%A4", "ä",
                "/a%2Fb", "a/b",
                "/slash/", "slash",
                "//d//e/", "d/e",
                "/./x/../f", "f",
                "/../g", "g",
                "/%2e%2e/h", "h",
                "/%2Fi", "i",
                "/j%2F%2Fk", "j/k",
                "/a%3Fb", "a?b",
                "/a%23b", "a#b",
                "/a%25b", "a%b",
                "/(a)!'*", "(a)!'*",
                "/a;b", "a;b",
                "/a&b=c", "a&b=c",
                "/a\\b", "a\\b",
                "/e%CC%81", "e\u0301"));
    }

    /** The {@code path} of Litestream's configuration for S3, and the prefix of the keys: not cleaned. */
    public static Stream<Arguments> paths() {
        return rows(List.of(
                "p", "p",
                "trail/", "trail/",
                "/lead", "/lead",
                "p//q", "p//q",
                "./p", "./p",
                "p/../q", "p/../q",
                "..", "..",
                ".", ".",
                "/", "/",
                "p+q", "p+q",
                "p%20q", "p%20q",
                "p q", "p q",
                "p#q", "p#q",
                "//p//", "//p//"));
    }

    /** What follows the server in a {@code nats://} URL, all of it the bucket for Litestream, and the bucket. */
    public static Stream<Arguments> buckets() {
        return rows(List.of(
                "/bucket-1", "bucket-1",
                "/bucket-1/", "bucket-1",
                "//bucket-1//", "bucket-1",
                "/%62ucket-1", "bucket-1",
                "/%62ucket%2D1/", "bucket-1",
                "/bucket-1%2F", "bucket-1",
                "/%2Fbucket-1", "bucket-1",
                "/./bucket-1", "bucket-1",
                "/other/../bucket-1", "bucket-1",
                "/../bucket-1/.", "bucket-1",
                "/%2e%2e/bucket-1", "bucket-1",
                "/Bucket_2", "Bucket_2"));
    }

    private static Stream<Arguments> rows(List<String> cells) {
        return Stream.iterate(0, i -> i < cells.size(), i -> i + 2)
                .map(i -> Arguments.of(cells.get(i), cells.get(i + 1)));
    }
}
