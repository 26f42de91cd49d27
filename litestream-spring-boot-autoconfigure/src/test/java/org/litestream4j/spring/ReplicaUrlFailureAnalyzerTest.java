package org.litestream4j.spring;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.system.CapturedOutput;

/** What a user reads when the application does not start because of the URL or the settings of the replica. */
class ReplicaUrlFailureAnalyzerTest extends FailedStartFixture {

    @Test
    void noReplicaUrl(CapturedOutput output) {
        start(database());
        assertExplained(
                output,
                "The database " + folder.resolve("app.db") + " has no replica: litestream.replica.url is not set.",
                "Set litestream.replica.url, for example to file:///var/backups/app, or set litestream.enabled=false where"
                        + " nothing is to be replicated.");
    }

    @Test
    void replicaUrlWithoutAScheme(CapturedOutput output) {
        start(database(), "litestream.replica.url=/var/backups/app");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: replica URL without a scheme: \"/var/backups/app\"; write for example"
                        + " file:///var/backups/app.",
                "Correct the replica's URL.");
    }

    @Test
    void unknownScheme(CapturedOutput output) {
        start(database(), "litestream.replica.url=ftp://backups/app");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: no replica backend for URLs that start with \"ftp:\"; known are [",
                "Correct the replica's URL or its settings under litestream.replica.*");
    }

    @Test
    void replicaInsideTheLocalState(CapturedOutput output) {
        String state = folder.resolve(".app.db-litestream").toString();
        for (String inside : List.of(state, state + "/replica")) {
            start(database(), "litestream.replica.url=file://" + inside);
            assertExplained(
                    output,
                    "The database " + folder.resolve("app.db") + " cannot be replicated: its replica file://" + inside
                            + " lies inside its local state " + state + ".",
                    "give the replica a folder elsewhere, preferably on another disk");
        }
    }

    @Test
    void libraryOfTheReplicaMissing(CapturedOutput output) {
        start(database(), "litestream.replica.url=nats://localhost/backups");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: nats://localhost:4222/backups: the NATS library is missing; add the dependency"
                        + " io.nats:jnats.",
                "Add the library to the application's dependencies.");
    }

    @Test
    void settingOfTheReplica_outOfRange(CapturedOutput output) {
        start(
                database(),
                "litestream.replica.url=s3://backups/app",
                "litestream.replica.s3.region=us-east-1",
                "litestream.replica.s3.part-size=1MB");
        assertExplained(
                output,
                "The replica of the database " + folder.resolve("app.db")
                        + " cannot be used: S3: bad part-size: 1048576; allowed: 5MiB to 1GiB.",
                "Correct the replica's URL or its settings under litestream.replica.*");
    }
}
