package org.litestream4j;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.litestream4j.replica.ReplicaClient;
import org.litestream4j.replica.ReplicaLocation;
import org.litestream4j.replica.Replicas;
import org.litestream4j.restore.FollowListener;
import org.litestream4j.restore.FollowState;
import org.litestream4j.restore.Restore;
import org.litestream4j.restore.RestoreOptions;

/** Follows a replica into a file, and tells each state; a line of input ends it. */
final class FollowChild {

    private FollowChild() {}

    /** Replica, file, whether to use force. */
    public static void main(String[] args) throws Exception {
        AtomicBoolean cancelled = new AtomicBoolean();
        Thread reader = new Thread(() -> {
            try {
                System.in.read(); // or its end: whoever started this is gone
                cancelled.set(true);
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
        reader.setDaemon(true);
        reader.start();
        try (ReplicaClient replica =
                Replicas.open(ReplicaLocation.of(Path.of(args[0]).toUri().toString()))) {
            RestoreOptions options = RestoreOptions.builder()
                    .force(Boolean.parseBoolean(args[2]))
                    .cancelled(cancelled::get)
                    .build();
            Restore.follow(replica, Path.of(args[1]), options, Duration.ofMillis(20), new FollowListener() {
                @Override
                public void onState(FollowState state) {
                    System.out.println("state " + state.step() + " " + state.txid() + " " + state.pages());
                }

                @Override
                public void onProblem(IOException problem) {
                    System.out.println("problem " + problem);
                }

                @Override
                public void onRecovered() {
                    System.out.println("recovered");
                }
            });
        } catch (IOException e) {
            System.out.println("failed " + e.getMessage());
            System.exit(1);
        }
        System.out.println("ended");
    }
}
