package org.litestream4j.spring.actuate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.litestream4j.Litestream;
import org.litestream4j.LitestreamException;
import org.litestream4j.ManagedDatabase;
import org.litestream4j.restore.IntegrityCheck;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;

/** How long a request holds its thread while the replica does not answer. */
class RequestWaitTest {

    @TempDir
    Path folder;

    private final List<Duration> waits = new ArrayList<>();

    /** A database whose replica never answers. */
    private final ManagedDatabase database = proxy(ManagedDatabase.class, (method, arguments) -> switch (method) {
        case "name" -> "app.db";
        case "sync", "snapshot" -> {
            waits.add((Duration) arguments[0]);
            throw notReplicated();
        }
        default -> throw new UnsupportedOperationException(method);
    });

    private final Litestream litestream = proxy(Litestream.class, (method, arguments) -> switch (method) {
        case "databases" -> List.of(database);
        case "database" -> Optional.of(database);
        default -> throw new UnsupportedOperationException(method);
    });

    private interface Answers {
        Object answer(String method, Object[] arguments) throws Throwable;
    }

    private static <T> T proxy(Class<T> type, Answers answers) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> answers.answer(method.getName(), arguments)));
    }

    private static LitestreamException notReplicated() {
        return new LitestreamException("app.db", "not replicated in time", "", new TimeoutException());
    }

    private Object post(LitestreamEndpoint.Action action, @Nullable Duration timeout) throws Exception {
        LitestreamEndpoint endpoint = new LitestreamEndpoint(
                litestream,
                new Restores(1, Clock.systemUTC(), work -> work),
                new RestoreFolder(folder, 1, litestream),
                null,
                IntegrityCheck.NONE,
                Clock.systemUTC());
        return endpoint.act("app.db", action, timeout, null, null, null, null, null, null, null, null, null);
    }

    @ParameterizedTest
    @EnumSource(
            value = LitestreamEndpoint.Action.class,
            names = {"SYNC", "SNAPSHOT"})
    void longTimeout_holdsTheThreadForHalfAMinuteAndGoesOn(LitestreamEndpoint.Action action) throws Exception {
        assertThat(post(action, Duration.ofHours(1)))
                .isInstanceOfSatisfying(WebEndpointResponse.class, response -> assertThat(response.getStatus())
                        .isEqualTo(202));
        assertThat(waits).containsExactly(Duration.ofSeconds(30));
    }

    @Test
    void noTimeout_holdsTheThreadForHalfAMinute() throws Exception {
        assertThat(post(LitestreamEndpoint.Action.SNAPSHOT, null)).isInstanceOf(WebEndpointResponse.class);
        assertThatThrownBy(() -> post(LitestreamEndpoint.Action.SYNC, null)).isInstanceOf(RequestException.class);
        assertThat(waits).containsOnly(Duration.ofSeconds(30)).hasSize(2);
    }

    @Test
    void shortTimeout_isKept() {
        assertThatThrownBy(() -> post(LitestreamEndpoint.Action.SYNC, Duration.ofSeconds(2)))
                .isInstanceOf(RequestException.class);
        assertThat(waits).containsExactly(Duration.ofSeconds(2));
    }
}
