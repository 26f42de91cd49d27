package org.litestream4j.copy;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.litestream4j.ltx.LtxFileName;
import org.litestream4j.ltx.LtxHeader;
import org.litestream4j.ltx.Txid;
import org.litestream4j.replica.LtxFileInfo;
import org.litestream4j.replica.MarkStore;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreException;
import org.litestream4j.restore.RestoreOptions;
import org.litestream4j.restore.RestorePlan;
import org.litestream4j.restore.RestoreTarget;

/**
 * One copy: first the files that restore the source's newest state, then the others. Files that vanish from the source
 * meanwhile were merged there; the source is then listed again. Not thread-safe.
 */
final class CopyRun {

    /** Maximum number of listings in a row between which nothing could be copied. */
    private static final int MAX_LISTINGS = 10;

    /** Higher levels first among files that end with the same transaction. */
    private static final Comparator<LtxFileInfo> ORDER = Comparator.comparing(LtxFileInfo::maxTxid)
            .thenComparing(Comparator.comparingInt(LtxFileInfo::level).reversed())
            .thenComparing(LtxFileInfo::minTxid);

    private final ReplicaClient source;
    private final ReplicaClient target;
    private final CopyOptions options;

    private final Set<LtxFileInfo> damaged = new LinkedHashSet<>();
    private int files;
    private long bytes;
    private int deleted;

    CopyRun(ReplicaClient source, ReplicaClient target, CopyOptions options) {
        this.source = source;
        this.target = target;
        this.options = options;
    }

    CopyResult run() throws IOException {
        target.prepare();
        List<LtxFileInfo> sourceFiles = list(source);
        TargetFiles targetFiles = TargetFiles.list(target);
        targetFiles.requireCopyOf(source, sourceFiles);
        Txid newest = copyNewest(targetFiles);
        int present = options.latestOnly() ? 0 : copyOthers(targetFiles);
        int marks = options.latestOnly() ? 0 : copyMarks();
        return new CopyResult(newest, files, bytes, present, deleted, marks, List.copyOf(damaged));
    }

    private static List<LtxFileInfo> list(ReplicaClient client) throws IOException {
        List<LtxFileInfo> listed = new ArrayList<>();
        client.listAll(ReplicaClient.FROM_THE_FIRST, listed::add);
        return listed;
    }

    /** Copies the files that restore the newest state, and returns its TXID. */
    private Txid copyNewest(TargetFiles targetFiles) throws IOException {
        return Restore.plan(source, RestoreOptions.defaults(), new Restore.PlanUser<Copied>() {
                    @Override
                    public Copied read(RestorePlan plan) throws IOException {
                        copy(targetFiles, targetFiles.missing(plan.files()), false);
                        return new Copied(
                                plan, header(plan.files().get(plan.files().size() - 1)));
                    }

                    @Override
                    public LtxHeader newest(Copied copied) {
                        return copied.header();
                    }
                })
                .plan()
                .txid();
    }

    /** @param header header of the plan's last file */
    private record Copied(RestorePlan plan, LtxHeader header) {}

    private LtxHeader header(LtxFileInfo file) throws IOException {
        try (InputStream in = source.open(file.level(), file.name(), 0, LtxHeader.SIZE)) {
            return LtxHeader.parse(in.readNBytes(LtxHeader.SIZE), file.level() + "/" + file.name());
        }
    }

    /** Copies the remaining wanted files, and returns how many the target had before. */
    private int copyOthers(TargetFiles targetFiles) throws IOException {
        int listings = 0;
        while (true) {
            List<LtxFileInfo> sourceFiles = list(source);
            List<LtxFileInfo> wanted = wanted(sourceFiles);
            List<LtxFileInfo> missing = targetFiles.missing(wanted).stream()
                    .filter(file -> !damaged.contains(file))
                    .sorted(ORDER)
                    .toList();
            int before = files;
            boolean isWhole = copy(targetFiles, missing, true);
            if (isWhole) {
                if (options.deleteExtra()) {
                    delete(targetFiles.notIn(sourceFiles));
                }
                return wanted.size() - missing.size();
            }
            listings = files > before ? 0 : listings + 1;
            if (listings == MAX_LISTINGS) {
                throw new IOException(source.url() + ": listed files repeatedly could not be read");
            }
        }
    }

    /** Returns the files from the oldest wanted state on. */
    private List<LtxFileInfo> wanted(List<LtxFileInfo> sourceFiles) throws IOException {
        Instant since = options.since();
        if (since == null) {
            return sourceFiles;
        }
        RestorePlan base;
        try {
            base = Restore.plan(
                    source,
                    RestoreOptions.builder()
                            .target(RestoreTarget.timestamp(since))
                            .build());
        } catch (RestoreException e) {
            boolean isBeforeAll = e.reason() == RestoreException.Reason.TIME_NOT_AVAILABLE
                    && e.range().isPresent()
                    && !since.isAfter(e.range().get().latestTime());
            if (isBeforeAll) {
                return sourceFiles;
            }
            throw e;
        }
        Set<LtxFileInfo> wanted = new LinkedHashSet<>(base.files());
        sourceFiles.stream().filter(file -> file.maxTxid().isAfter(base.txid())).forEach(wanted::add);
        return List.copyOf(wanted);
    }

    /**
     * Copies files in the order given.
     *
     * @param omits whether vanished and damaged files are omitted
     * @return whether no file has vanished
     */
    private boolean copy(TargetFiles targetFiles, List<LtxFileInfo> missing, boolean omits) throws IOException {
        if (missing.isEmpty()) {
            return true;
        }
        options.listener()
                .onFiles(
                        missing.size(),
                        missing.stream().mapToLong(LtxFileInfo::size).sum());
        FileCopies copies = new FileCopies(source, target, missing, omits, options);
        try {
            copies.run(options.concurrency());
        } finally {
            for (LtxFileInfo file : copies.published()) {
                targetFiles.published(file);
                files++;
                bytes += file.size();
            }
        }
        damaged.addAll(copies.damaged());
        return !copies.hasVanished();
    }

    private void delete(Collection<LtxFileInfo> extra) throws IOException {
        Map<Integer, List<LtxFileName>> byLevel = extra.stream()
                .collect(Collectors.groupingBy(
                        LtxFileInfo::level, TreeMap::new, Collectors.mapping(LtxFileInfo::name, Collectors.toList())));
        for (Map.Entry<Integer, List<LtxFileName>> level : byLevel.entrySet()) {
            target.delete(level.getKey(), level.getValue());
            deleted += level.getValue().size();
        }
    }

    /** Copies the marks that the target lacks, if both stores can have marks, and returns their number. */
    private int copyMarks() throws IOException {
        Optional<MarkStore> from = source.marks();
        Optional<MarkStore> to = target.marks();
        if (from.isEmpty() || to.isEmpty()) {
            return 0;
        }
        Set<String> present = new HashSet<>();
        to.get().list().forEach(mark -> present.add(mark.name()));
        int copied = 0;
        for (MarkStore.Stored mark : from.get().list()) {
            Optional<byte[]> content = present.contains(mark.name())
                    ? Optional.empty()
                    : from.get().read(mark.name());
            if (content.isPresent() && to.get().create(mark.name(), content.get())) {
                copied++;
            }
        }
        return copied;
    }
}
