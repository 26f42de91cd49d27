package org.litestream4j.ltx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LtxReaderWriterTest {

    @ParameterizedTest
    @EnumSource(PageEncoding.class)
    void read_ofAWrittenSnapshot_givesItsPages(PageEncoding encoding) throws Exception {
        Random random = new Random(1);
        TreeMap<Long, byte[]> pages = new TreeMap<>();
        for (long pgno = 1; pgno <= 100; pgno++) {
            pages.put(pgno, LtxFiles.page(4096, random));
        }
        LtxHeader header = LtxFiles.header(4096, 100, 1, 7);

        LtxFiles.Content content = LtxFiles.read(LtxFiles.write(header, pages, encoding));

        assertThat(content.header()).isEqualTo(header);
        assertThat(content.pages()).containsExactlyEntriesOf(pages);
    }

    @Test
    void merge_ofTwoFiles_takesTheNewerPagesUpToTheLastCommit() throws Exception {
        TreeMap<Long, byte[]> first = new TreeMap<>();
        TreeMap<Long, byte[]> second = new TreeMap<>();
        Random random = new Random(2);
        for (long pgno = 1; pgno <= 10; pgno++) {
            first.put(pgno, LtxFiles.page(512, random));
        }
        second.put(2L, LtxFiles.page(512, random));
        second.put(5L, LtxFiles.page(512, random));
        TreeMap<Long, byte[]> expected = new TreeMap<>(first.headMap(8L));
        expected.putAll(second);

        LtxFiles.Content content = LtxFiles.read(LtxFiles.merge(
                java.util.List.of(
                        LtxFiles.write(LtxFiles.header(512, 10, 1, 1), first, PageEncoding.FRAME),
                        LtxFiles.write(LtxFiles.header(512, 7, 2, 2), second, PageEncoding.BLOCK)),
                PageEncoding.BLOCK));

        assertThat(content.header()).isEqualTo(LtxFiles.header(512, 7, 1, 2));
        assertThat(content.pages()).containsExactlyEntriesOf(expected);
    }
}
