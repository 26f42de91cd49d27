package org.litestream4j.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.LtxReader;
import org.litestream4j.ltx.LtxWriter;
import org.litestream4j.ltx.PageEncoding;
import org.litestream4j.ltx.Txid;
import org.litestream4j.ltx.WalRange;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.file.FileReplicaProvider;
import org.litestream4j.restore.RestoreException.Reason;

/** Files that carry database checksums, which Litestream reads nowhere but its LTX library can write. */
class ChecksummedRestoreTest {

    private static final Path FILES = Path.of("src/test/resources/fixtures/ltx-files");

    @TempDir
    Path temp;

    private void put(String fixture, long min, long max) throws IOException {
        put(Files.readAllBytes(FILES.resolve(fixture)), min, max);
    }

    private void put(byte[] bytes, long min, long max) throws IOException {
        Path level = Files.createDirectories(temp.resolve("replica/ltx/0"));
        Files.write(level.resolve(ModelReplica.name(min, max).toString()), bytes);
    }

    private Path restore(long txid, long partSize) throws IOException {
        try (ReplicaClient client = FileReplicaProvider.at(temp.resolve("replica"))) {
            RestoreOptions options = RestoreOptions.builder()
                    .target(RestoreTarget.txid(new Txid(txid)))
                    .force(true)
                    .build();
            Files.deleteIfExists(temp.resolve("restored.db")); // its pages are no database
            return new RestoreJob(client, temp.resolve("restored.db"), options, partSize)
                    .run()
                    .target();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096, 65536})
    void restore_checksummedChain_isVerifiedAndExact(int pageSize) throws Exception {
        put("snapshot-checksummed-" + pageSize + ".ltx", 1, 3);
        put("increment-checksummed-" + pageSize + ".ltx", 4, 4);
        put("shrink-checksummed-" + pageSize + ".ltx", 5, 9);
        Map<Long, String> pages = new TreeMap<>();
        String[] kinds = {"snapshot", "increment", "shrink"};
        long[] txids = {3, 4, 9};
        for (int i = 0; i < 3; i++) {
            JsonNode file = manifestEntry(kinds[i] + "-checksummed-" + pageSize + ".ltx");
            for (Map.Entry<String, JsonNode> page : file.get("pageSha256").properties()) {
                pages.put(Long.parseLong(page.getKey()), page.getValue().asText());
            }
            long commit = file.get("commit").asLong();
            pages.keySet().removeIf(pgno -> pgno > commit);
            for (long partSize : new long[] {150, 1_000_000}) {
                assertThat(pageSums(restore(txids[i], partSize), pageSize)).isEqualTo(pages);
            }
        }
    }

    private static JsonNode manifestEntry(String name) throws IOException {
        for (JsonNode file :
                new ObjectMapper().readTree(FILES.resolve("manifest.json").toFile())) {
            if (file.get("file").asText().equals(name)) {
                return file;
            }
        }
        throw new AssertionError("not in the manifest: " + name);
    }

    private static Map<Long, String> pageSums(Path file, int pageSize) throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        Map<Long, String> sums = new TreeMap<>();
        for (int at = 0; at < bytes.length; at += pageSize) {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOfRange(bytes, at, at + pageSize));
            sums.put(1L + at / pageSize, HexFormat.of().formatHex(sum));
        }
        return sums;
    }

    @Test
    void restore_chainBroken_isFound() throws IOException {
        put("snapshot-checksummed-512.ltx", 1, 3);
        put(increment(0x8000000000000001L, 0xae2bb05ecfbcf068L), 4, 4);
        assertFound("checksum chain");
    }

    @Test
    void restore_otherDatabaseThanItsChecksumSays_isFound() throws IOException {
        put("snapshot-checksummed-512.ltx", 1, 3);
        put(increment(0xb1e0b607e2c6e542L, 0x8000000000000001L), 4, 4);
        assertFound("database checksum");
    }

    private void assertFound(String problem) {
        for (long partSize : new long[] {150, 1_000_000}) {
            assertThatThrownBy(() -> restore(4, partSize))
                    .isInstanceOfSatisfying(
                            RestoreException.class, e -> assertThat(e.reason()).isEqualTo(Reason.DAMAGED))
                    .hasMessageContaining(problem)
                    .hasMessageContaining("0000000000000004-0000000000000004.ltx");
        }
        assertThat(temp.resolve("restored.db")).doesNotExist();
    }

    /** The pages of the fixture's increment with other checksums. */
    private static byte[] increment(long preApply, long postApply) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LtxHeader header =
                new LtxHeader(0, 512, 8, new Txid(4), new Txid(4), 1_767_225_601_234L, preApply, WalRange.NONE, 0);
        try (LtxReader reader = LtxReader.open(
                        Files.newInputStream(FILES.resolve("increment-checksummed-512.ltx")), "increment");
                LtxWriter writer = LtxWriter.open(out, header, PageEncoding.BLOCK)) {
            while (reader.next()) {
                writer.writePage(reader.pgno(), reader.page());
            }
            writer.finish(postApply);
        }
        return out.toByteArray();
    }
}
