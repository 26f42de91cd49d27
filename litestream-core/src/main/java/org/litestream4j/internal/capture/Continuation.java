package org.litestream4j.internal.capture;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.OptionalLong;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.Txid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continues the position of an earlier run: proven by the WAL, by a comparison of all pages, or begun anew with an image. Where the
 * WAL proves it, the pages are compared later, piece by piece. Confined to the capture lane.
 */
final class Continuation {

    private static final Logger log = LoggerFactory.getLogger(Continuation.class);

    private final CaptureSettings settings;
    private final Attachment attachment;
    private final Position position;
    private final Staging staging;
    private final Increments increments;
    private final FullImage fullImage;
    private final RollingChecksum checksum;
    private boolean pageSizeChanged;

    Continuation(
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

    /** As {@link Capture#judge}. */
    Capture.Continuity establish() throws IOException {
        PositionRecord recorded = position.recorded();
        if (recorded == null) {
            return Capture.Continuity.UNPROVEN;
        }
        if (!new ContinuityProof(settings, attachment, recorded, position.saved()).holds()) {
            return compare(recorded);
        }
        position.moveTo(recorded.thawed()); // whether the reader of this run is at mark 0 is not known
        if (!checksum.resume(recorded)) {
            beginChecksum(recorded);
        }
        try {
            increments.capture();
            if (attachment.session().count().copied() > recorded.wal().frames(recorded.pageSize())) {
                checksum.forgetBaseline();
            }
        } catch (LostContinuityException e) {
            log.info("continuity cannot be proven: db={} reason={}", settings.database(), e.problem());
            position.forget();
            checksum.forget();
            return Capture.Continuity.UNPROVEN;
        }
        return Capture.Continuity.PROVEN;
    }

    /** Where the WAL proves nothing, the content does: what was captured of each page is known from its checksum. */
    private Capture.Continuity compare(PositionRecord recorded) throws IOException {
        if (!recorded.continuous()
                || recorded.pageSize() != attachment.session().pageSize()
                || !checksum.resume(recorded)) {
            return Capture.Continuity.UNPROVEN;
        }
        PositionRecord compared = fullImage.writeDifference(recorded);
        boolean differs = !compared.txid().equals(recorded.txid());
        if (differs && attachment.session().schemaSize() == 0) { // a new database? what the replica holds decides
            staging.deleteAfter(recorded.txid());
            checksum.forget();
            return Capture.Continuity.UNPROVEN;
        }
        position.moveTo(compared);
        checksum.captured();
        increments.readerCovered();
        log.info(
                "database compared with what was captured of it: db={} txid={} differs={}",
                settings.database(),
                compared.txid(),
                differs);
        return Capture.Continuity.PROVEN;
    }

    /** As {@link Capture#image}. */
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
                "database captured in full: db={} txid={} pages={}", settings.database(), taken.txid(), taken.commit());
    }

    /** As {@link Capture#isPageSizeChanged}. */
    boolean isPageSizeChanged() {
        return pageSizeChanged;
    }

    /** As {@link Capture#completeChecksum}. */
    long completeChecksum() throws IOException {
        if (checksum.nanosUntilDue() == 0) {
            if (checksum.isBegun()) {
                checksum.fill(attachment.files().database());
            } else {
                increments.capture(); // to the mark of our reader at least
                beginChecksum(position.get());
            }
        }
        if (checksum.disagrees()) { // a commit may have made the last page known
            throw new LostContinuityException(
                    settings.database(),
                    "the database file holds other pages than were captured of it: it was overwritten, or damaged");
        }
        long due = checksum.nanosUntilDue();
        if (due >= 0 || !position.get().atFrozenEnd()) { // else the WAL proves the position to the next start
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
            log.debug("the captured transaction is not here any more, the database is not compared: file={}", name);
        }
        checksum.begin(position, attachment.files().wal(), attachment.files().database(), expected);
    }
}
