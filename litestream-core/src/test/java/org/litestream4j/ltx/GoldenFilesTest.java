package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GoldenFilesTest {

    static final Path FIXTURES = Path.of("src/test/resources/fixtures");

    static List<Path> files() throws Exception {
        try (Stream<Path> all = Files.walk(FIXTURES)) {
            return all.filter(Files::isRegularFile)
                    .filter(path -> !path.toString().endsWith(".json")
                            && !path.toString().endsWith(".md")
                            && !path.endsWith(".gitattributes"))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void read_ofAGoldenFile_verifies(Path path) throws Exception {
        LtxFiles.Content content = LtxFiles.read(Files.readAllBytes(path));
        LtxHeader header = content.header();

        byte[] again = LtxFiles.write(
                header, content.pages(), PageEncoding.BLOCK, content.trailer().postApplyChecksum());

        assertThat(LtxFiles.read(again).pages()).containsExactlyEntriesOf(content.pages());
    }
}
