package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continues from the position of an earlier run, if the WAL or a comparison of all pages proves it; otherwise starts
 * again with an image. If the WAL proves it, the pages are compared later, in pieces. Confined to the capture lane.
 */
final class ContinuityCheck {

    private static final Logger log = LoggerFactory.getLogger(ContinuityCheck.class);

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Staging staging;
    private final Increments increments;
    private final FullImage fullImage;
    private final RollingChecksum checksum;
    private boolean pageSizeChanged;

    ContinuityCheck(
            CaptureSettings settings,
            Attachment attachment,
            Position position,
            Staging staging,
            Increments increments,
            FullImage fullImage,
            RollingChecksum checksum) {
        this.settings = settings;
        this.attachment = attachment;
        this.position = position;
        this.staging = staging;
        this.increments = increments;
        this.fullImage = fullImage;
        this.checksum = checksum;
    }

    /** See {@link Capture#establishContinuity}. */
    Capture.Continuity establish() throws IOException {
        PositionRecord recorded = position.recorded();
        if (recorded == null) {
            return Capture.Continuity.UNPROVEN;
        }
        if (!new ContinuityProof(settings, attachment, recorded, position.saved()).holds()) {
            return compare(recorded);
        }
        position.moveTo(recorded.thawed()); // unknown whether the reader of this run is at mark 0
        if (!checksum.resume(recorded)) {
            beginChecksum(recorded);
        }
        try {
            increments.capture();
            if (attachment.session().count().copied() > recorded.wal().frames(recorded.pageSize())) {
                checksum.forgetBaseline();
            }
        } catch (LostContinuityException e) {
            log.info("continuity cannot be proven: path={} reason={}", settings.database(), e.problem());
            position.forget();
            checksum.forget();
            return Capture.Continuity.UNPROVEN;
        }
        return Capture.Continuity.PROVEN;
    }

    /** Compares the content of the database with the captured page checksums, if the WAL proves nothing. */
    private Capture.Continuity compare(PositionRecord recorded) throws IOException {
        if (!recorded.continuous()
                || recorded.pageSize() != attachment.session().pageSize()
                || !checksum.resume(recorded)) {
            return Capture.Continuity.UNPROVEN;
        }
        PositionRecord compared = fullImage.writeDifference(recorded);
        boolean differs = !compared.txid().equals(recorded.txid());
        if (differs && attachment.session().schemaSize() == 0) { // possibly a new database: the replica decides
            staging.deleteAfter(recorded.txid());
            checksum.forget();
            return Capture.Continuity.UNPROVEN;
        }
        position.moveTo(compared);
        checksum.captured();
        increments.readerCovered();
        log.info(
                "database compared with its captured state: path={} txid={} differs={}",
                settings.database(),
                compared.txid(),
                differs);
        return Capture.Continuity.PROVEN;
    }

    /** See {@link Capture#image}. */
    void image(Txid after, boolean discard) throws IOException {
        PositionRecord before = position.newest();
        pageSizeChanged =
                before != null && before.pageSize() != attachment.session().pageSize();
        if (discard) {
            position.discard();
        }
        PositionRecord taken = fullImage.write(after.next());
        position.moveTo(taken);
        checksum.captured();
        increments.readerCovered();
        log.info(
                "database captured in full: path={} txid={} pages={}",
                settings.database(),
                taken.txid(),
                taken.commit());
    }

    /** See {@link Capture#isPageSizeChanged}. */
    boolean isPageSizeChanged() {
        return pageSizeChanged;
    }

    /** See {@link Capture#completeChecksum}. */
    long completeChecksum() throws IOException {
        if (checksum.nanosUntilDue() == 0) {
            if (checksum.isBegun()) {
                checksum.fill(attachment.files().database());
            } else {
                increments.capture(); // at least up to the mark of the reader
                beginChecksum(position.get());
            }
        }
        if (checksum.disagrees()) { // a commit may have completed the page checksums
            throw new LostContinuityException(
                    settings.database(),
                    "the database file differs from the captured pages: it was overwritten or damaged");
        }
        long due = checksum.nanosUntilDue();
        if (due >= 0 || !position.get().atFrozenEnd()) { // not frozen: the WAL proves the position
            return due;
        }
        if (checksum.nanosUntilSave(position.get()) == 0) {
            checksum.save(position.get());
        }
        return checksum.nanosUntilSave(position.get());
    }

    private void beginChecksum(PositionRecord position) throws IOException {
        LtxFileName name = LtxFileName.of(position.txid());
        OptionalLong expected = OptionalLong.empty();
        try {
            expected = staging.databaseChecksum(name);
        } catch (NoSuchFileException e) {
            log.debug("local file deleted, database is not compared with the captured state: file={}", name);
        }
        checksum.begin(position, attachment.files().wal(), attachment.files().database(), expected);
    }
}
