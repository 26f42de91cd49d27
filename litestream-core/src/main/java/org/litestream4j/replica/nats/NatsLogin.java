package org.litestream4j.replica.nats;

import io.nats.client.AuthHandler;
import io.nats.client.Nats;
import io.nats.client.Options;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.litestream4j.replica.Redaction;
import org.litestream4j.replica.ReplicaAccessException;

/**
 * Credentials; at most one method is set.
 *
 * @param nkey seed of a user's key pair ({@code SU…})
 * @param jwt JWT of a user, used together with the {@code seed} of its key pair
 * @param creds path of a file that contains both
 */
record NatsLogin(
        @Nullable String username,
        @Nullable Secret password,
        @Nullable Secret token,
        @Nullable Secret nkey,
        @Nullable Secret jwt,
        @Nullable Secret seed,
        @Nullable Path creds) {

    /** @throws IllegalArgumentException if two methods are set, or if one is incomplete */
    NatsLogin {
        List<String> ways = new ArrayList<>();
        pair(ways, "username", username, "password", password);
        pair(ways, "jwt", jwt, "seed", seed);
        if (token != null) {
            ways.add("token");
        }
        if (nkey != null) {
            ways.add("nkey");
        }
        if (creds != null) {
            ways.add("creds");
        }
        if (ways.size() > 1) {
            throw new IllegalArgumentException("NATS: more than one login is set: " + ways + "; keep one");
        }
    }

    private static void pair(
            List<String> ways, String name, @Nullable Object value, String other, @Nullable Object with) {
        if ((value == null) != (with == null)) {
            throw new IllegalArgumentException(
                    "NATS: " + (value == null ? name : other) + " is missing; set both " + name + " and " + other);
        }
        if (value != null) {
            ways.add(name);
        }
    }

    /** @throws ReplicaAccessException if a seed, a token or the credentials file is invalid */
    void applyTo(Options.Builder options, String replica) throws ReplicaAccessException {
        if (username != null && password != null) {
            options.userInfo(username.toCharArray(), password.value().toCharArray());
        } else if (token != null) {
            options.token(token.value().toCharArray());
        } else if (nkey != null) {
            options.authHandler(checked(
                    () -> Nats.staticCredentials(null, nkey.value().toCharArray()),
                    false,
                    replica,
                    "the setting nkey is not the seed of a user's key pair",
                    "write the seed itself; it begins with SU"));
        } else if (jwt != null && seed != null) {
            options.authHandler(checked(
                    () -> Nats.staticCredentials(
                            jwt.value().toCharArray(), seed.value().toCharArray()),
                    true,
                    replica,
                    "the setting seed is not the seed of a user's key pair",
                    "write the seed itself; it begins with SU"));
        } else if (creds != null) {
            if (!Files.isReadable(creds)) {
                throw new ReplicaAccessException(
                        replica,
                        "there is no credentials file " + Redaction.file(creds.toString())
                                + " that this process may read",
                        "correct the setting creds or the file's rights",
                        null);
            }
            String file = creds.toString();
            options.authHandler(checked(
                    () -> Nats.credentials(file), // read again for each connection, because the file may be renewed
                    true,
                    replica,
                    "the file " + Redaction.file(creds.toString()) + " is not a credentials file",
                    "it must hold a user's JWT and seed, as `nsc generate creds` writes them"));
        }
    }

    /**
     * Returns a handler with validated credentials. The library reads credentials while connecting, and would lose
     * errors there.
     */
    private static AuthHandler checked(
            Supplier<AuthHandler> maker, boolean withJwt, String replica, String problem, String remedy)
            throws ReplicaAccessException {
        try {
            AuthHandler handler = maker.get();
            char[] jwt = handler.getJWT();
            boolean user = handler.getID()[0] == 'U';
            if (user && (!withJwt || (jwt != null && jwt.length > 0))) {
                return handler;
            }
        } catch (RuntimeException e) {
            // Without the cause: its message may contain the content.
        }
        throw new ReplicaAccessException(replica, problem, remedy, null);
    }

    @Override
    public String toString() {
        return "NatsLogin[…]";
    }
}
