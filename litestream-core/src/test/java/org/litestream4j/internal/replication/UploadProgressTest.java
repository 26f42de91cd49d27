package org.litestream4j.internal.replication;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.slf4j.LoggerFactory;

class UploadProgressTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger(UploadProgress.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
        logger.setLevel(ch.qos.logback.classic.Level.INFO);
    }

    @AfterEach
    void listenNoMore() {
        logger.detachAppender(log);
    }

    private List<String> lines(long size, int piece) {
        UploadProgress progress = new UploadProgress("s3://bucket/app", LtxFileName.of(new Txid(7)), size);
        for (long left = size; left > 0; left -= piece) {
            progress.accept(Math.min(piece, left));
        }
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void largeFile_isReportedTenTimes() {
        assertThat(lines(100L << 20, 1 << 20))
                .hasSize(10)
                .startsWith("uploading: replica=s3://bucket/app txid=0000000000000007 bytes=10485760 of=104857600")
                .endsWith("uploading: replica=s3://bucket/app txid=0000000000000007 bytes=104857600 of=104857600");
    }

    @Test
    void hugeFile_isReportedAtLeastEvery256Mebibytes() {
        assertThat(lines(100L << 30, 64 << 20)).hasSize(400);
    }

    @Test
    void smallFile_isNotReported() {
        assertThat(lines(UploadProgress.LARGE - 1, 1 << 20)).isEmpty();
    }
}
