package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that Litestream wrote. */
class GoldenFilesTest {

    static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    static List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(FIXTURES)) {
            return all.filter(Files::isRegularFile)
                    .filter(path ->
                            path.toString().endsWith(".ltx") || path.getParent().endsWith("objects"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void files_areAllThere() throws Exception {
        assertThat(files()).hasSizeGreaterThan(330);
    }

    @ParameterizedTest
    @MethodSource("files")
    void reEncoded_inEachEncoding_hasTheSamePages(Path path) throws Exception {
        LtxFiles.Content content = LtxFiles.read(Files.readAllBytes(path));
        for (PageEncoding encoding : PageEncoding.values()) {
            byte[] again = LtxFiles.write(
                    content.header(),
                    content.pages(),
                    encoding,
                    content.trailer().postApplyChecksum());

            LtxFiles.Content found = LtxFiles.read(again);

            assertThat(found.header()).isEqualTo(content.header());
            assertThat(found.pages()).containsExactlyEntriesOf(content.pages());
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void pageIndex_decodesEveryPageAndVerifiesTheFile(Path path) throws Exception {
        byte[] file = Files.readAllBytes(path);
        LtxFiles.Content content = LtxFiles.read(file);

        LtxPageIndex index = LtxPageIndex.parse(file, file.length, content.header(), "x");

        LtxPageDecoder decoder = new LtxPageDecoder(content.header(), "x");
        decoder.checksum().update(file, 0, LtxHeader.SIZE);
        assertThat(index.size()).isEqualTo(content.pages().size());
        for (int i = 0; i < index.size(); i++) {
            decoder.decode(file, (int) index.offset(i), index.frameSize(i), index.offset(i));
            assertThat(decoder.pgno()).isEqualTo(index.pgno(i));
            assertThat(decoder.page()).isEqualTo(content.pages().get(index.pgno(i)));
        }
        index.verify(decoder.checksum());
        assertThat(index.trailer()).isEqualTo(content.trailer());
    }

    @Test
    void singleFiles_haveTheHeadersChecksumsAndPagesOfTheManifest() throws Exception {
        JsonNode manifest = manifest("ltx-files");
        assertThat(manifest.size()).isEqualTo(15);
        for (JsonNode truth : manifest) {
            String name = truth.get("file").asText();
            LtxFiles.Content content = LtxFiles.read(Files.readAllBytes(FIXTURES.resolve("ltx-files/" + name)));

            assertThat(content.header())
                    .as(name)
                    .isEqualTo(new LtxHeader(
                            truth.get("flags").asInt(),
                            truth.get("pageSize").asInt(),
                            truth.get("commit").asLong(),
                            Txid.parse(truth.get("minTxid").asText()),
                            Txid.parse(truth.get("maxTxid").asText()),
                            truth.get("timestampMillis").asLong(),
                            hex(truth.get("preApplyChecksum")),
                            content.header().wal(),
                            content.header().nodeId()));
            assertThat(content.trailer())
                    .as(name)
                    .isEqualTo(new LtxTrailer(hex(truth.get("postApplyChecksum")), hex(truth.get("fileChecksum"))));
            SortedMap<Long, String> pages = new TreeMap<>();
            content.pages().forEach((pgno, page) -> pages.put(pgno, sha256(page)));
            SortedMap<Long, String> expected = new TreeMap<>();
            truth.get("pageSha256")
                    .properties()
                    .forEach(e -> expected.put(
                            Long.parseLong(e.getKey()), e.getValue().asText()));
            assertThat(pages).as(name).containsExactlyEntriesOf(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "autovacuum-8192",
        "away-4096",
        "levels-4096",
        "lz4frame-4096",
        "page-1024",
        "page-512",
        "page-65536",
        "retained-4096"
    })
    void replicaFiles_haveTheHeadersOfTheManifestAndTheirNames(String replica) throws Exception {
        JsonNode files = manifest(replica).get("files");
        assertThat(files.size()).isPositive();
        for (JsonNode truth : files) {
            Path path = FIXTURES.resolve(replica).resolve(truth.get("file").asText());
            assertThat(Files.size(path)).isEqualTo(truth.get("size").asLong());
            assertThat(sha256(Files.readAllBytes(path)))
                    .isEqualTo(truth.get("sha256").asText());
            LtxFileName name = LtxFileName.parse(path.getFileName().toString()).orElseThrow();
            try (LtxReader reader = LtxReader.open(Files.newInputStream(path), path.toString(), name)) {
                LtxHeader header = reader.header();
                assertThat(header.commit()).isEqualTo(truth.get("commit").asLong());
                assertThat(header.minTxid()).hasToString(truth.get("minTxid").asText());
                assertThat(header.maxTxid()).hasToString(truth.get("maxTxid").asText());
                assertThat(header.timestampMillis())
                        .isEqualTo(truth.get("timestampMillis").asLong());
                assertThat(header.pageSize())
                        .isEqualTo(manifest(replica).get("pageSize").asInt());
                assertThat(header.flags()).isEqualTo(LtxHeader.NO_CHECKSUM);
            }
        }
    }

    /** A merge copies compressed pages, and so the whole file is the same, byte for byte. */
    @ParameterizedTest
    @CsvSource({"levels-4096, 21", "autovacuum-8192, 5", "away-4096, 10", "page-512, 5", "page-65536, 5", "page-1024, 6"
    })
    void merge_ofALevel_equalsLitestreamsOwn(String replica, int count) throws Exception {
        int compared = 0;
        for (int level = 1; level <= 3; level++) {
            for (Path path : level(replica, level)) {
                List<byte[]> inputs = inputs(replica, level - 1, path);
                byte[] merged = LtxFiles.merge(inputs, PageEncoding.BLOCK);
                assertThat(merged).as(path.toString()).isEqualTo(Files.readAllBytes(path));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(count);
    }

    @Test
    void merge_ofALevelOfLz4Frames_hasThePagesOfLitestreamsOwn() throws Exception {
        int compared = 0;
        for (Path path : level("lz4frame-4096", 1)) {
            LtxFiles.Content expected = LtxFiles.read(Files.readAllBytes(path));
            for (PageEncoding encoding : PageEncoding.values()) {
                LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(inputs("lz4frame-4096", 0, path), encoding));
                assertThat(merged.header()).isEqualTo(expected.header());
                assertThat(merged.pages()).containsExactlyEntriesOf(expected.pages());
                compared++;
            }
        }
        assertThat(compared).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"levels-4096", "autovacuum-8192", "page-512", "page-1024", "page-65536"})
    void merge_ofLevelZeroFromTheStart_hasThePagesOfTheSnapshot(String replica) throws Exception {
        List<Path> snapshots = level(replica, 9);
        assertThat(snapshots).isNotEmpty();
        for (Path path : snapshots) {
            LtxFiles.Content snapshot = LtxFiles.read(Files.readAllBytes(path));
            LtxFiles.Content merged = LtxFiles.read(LtxFiles.merge(inputs(replica, 0, path), PageEncoding.BLOCK));
            assertThat(merged.pages()).as(path.toString()).containsExactlyEntriesOf(snapshot.pages());
            assertThat(merged.header().commit()).isEqualTo(snapshot.header().commit());
        }
    }

    private static List<byte[]> inputs(String replica, int level, Path merged) throws IOException {
        LtxFileName name = LtxFileName.parse(merged.getFileName().toString()).orElseThrow();
        List<byte[]> inputs = new ArrayList<>();
        for (Path path : level(replica, level)) {
            LtxFileName input = LtxFileName.parse(path.getFileName().toString()).orElseThrow();
            if (!input.min().isBefore(name.min()) && !input.max().isAfter(name.max())) {
                inputs.add(Files.readAllBytes(path));
            }
        }
        return inputs;
    }

    private static List<Path> level(String replica, int level) throws IOException {
        Path folder = FIXTURES.resolve(replica + "/replica/ltx/" + level);
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(folder)) {
            return paths.sorted().toList();
        }
    }

    private static JsonNode manifest(String fixture) throws IOException {
        return new ObjectMapper()
                .readTree(FIXTURES.resolve(fixture).resolve("manifest.json").toFile());
    }

    private static long hex(JsonNode text) {
        return HexFormat.fromHexDigitsToLong(text.asText());
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
