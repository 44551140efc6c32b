package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaStore;
import dev.levee.ratelimit.shared.QuotaStoreContract;
import dev.levee.ratelimit.shared.QuotaTerms;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The contract of stores, on a real server. */
class RedisQuotaStoreTest extends QuotaStoreContract {
    @RegisterExtension
    private static final ShiftedServer SERVER = new ShiftedServer();

    private RedisQuotaStore store;

    @BeforeEach
    void make() {
        store = SERVER.store(Environment.system());
    }

    @Override
    protected QuotaStore store() {
        return store;
    }

    @Override
    protected void pass(Duration duration) {
        ShiftedServer.pass(duration);
    }

    @Override
    protected boolean forget() {
        return SERVER.forget();
    }

    @Override
    protected void spoil(String key) {
        SERVER.connection.sync().set("{levee:0}:api:" + key, "of another program");
    }

    @Override
    protected boolean moveClock(Duration by) {
        return SERVER.moveClock(by);
    }

    private long takeAll(Environment environment) {
        QuotaStore fresh = SERVER.store(environment);
        QuotaRequest request =
                new QuotaRequest("api", "k", new QuotaTerms(TEN, 0, 0), 0, Long.MAX_VALUE, 1, 10, 10, Long.MAX_VALUE);
        String node = "p" + Math.abs(environment.random().nextLong() % 1_000_000);
        return fresh.take(new QuotaBatch(node, 1, List.of(request)))
                .orTimeout(30, TimeUnit.SECONDS)
                .join()
                .get(0)
                .permits();
    }

    private static Environment withWallClock(Duration ahead) {
        return Environment.builder().wallClock(() -> Instant.now().plus(ahead)).build();
    }

    @Test
    void a_clock_that_was_set_ahead_gives_nothing_to_a_process_that_was_just_started() {
        assertThat(takeAll(Environment.system())).isEqualTo(10);
        moveClock(Duration.ofDays(1));

        assertThat(takeAll(Environment.system())).isZero();
        assertThat(takeAll(Environment.system())).as("nor to the next one").isZero();
    }

    @Test
    void a_process_that_was_just_started_gets_what_has_passed_since_another_one_has_asked() {
        assertThat(takeAll(Environment.system())).isEqualTo(10);
        moveClock(Duration.ofHours(20));

        assertThat(takeAll(withWallClock(Duration.ofHours(20)))).isEqualTo(10);
    }

    @Test
    void the_wall_clock_of_a_process_that_is_wrong_mints_nothing() {
        assertThat(takeAll(Environment.system())).isEqualTo(10);

        assertThat(takeAll(withWallClock(Duration.ofDays(400)))).isZero();
        assertThat(takeAll(withWallClock(Duration.ofDays(-40_000)))).isZero();
        assertThat(takeAll(withWallClock(Duration.ofDays(400)))).isZero();
    }
}
