package dev.levee.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.shared.OnOutage;
import dev.levee.ratelimit.shared.PermitRequest;
import dev.levee.ratelimit.shared.QuotaBatch;
import dev.levee.ratelimit.shared.QuotaRequest;
import dev.levee.ratelimit.shared.QuotaTerms;
import dev.levee.ratelimit.shared.SharedBulkhead;
import dev.levee.ratelimit.shared.SharedLimits;
import dev.levee.ratelimit.shared.SharedMode;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What limiters and bulkheads make of each error that a server gives: its name, and the outage mode that was chosen.
 */
class RedisRepliesTest {
    private static final String LOADING = "LOADING Redis is loading the dataset in memory";
    private static final String BUSY =
            "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    private static final String READONLY = "READONLY You can't write against a read only replica.";
    private static final String CLUSTERDOWN = "CLUSTERDOWN Hash slot not served";
    private static final String MOVED = "MOVED 3999 127.0.0.1:6381";

    private FakeRedis server;
    private RedisClient client;
    private StatefulRedisConnection<String, String> connection;

    @BeforeEach
    void connect() {
        server = new FakeRedis();
        client = RedisClient.create(server.uri());
        connection = client.connect();
    }

    @AfterEach
    void close() {
        client.shutdown(0, 1, TimeUnit.SECONDS);
        server.close();
    }

    private static QuotaBatch batch() {
        QuotaRequest request = new QuotaRequest(
                "api", "k", new QuotaTerms(Limit.perSecond(10), 0, 0), 0, Long.MAX_VALUE, 1, 1, 1, Long.MAX_VALUE);
        return new QuotaBatch("a", 1, List.of(request));
    }

    private static void assertNamed(CompletableFuture<?> answer, String why) {
        assertThatThrownBy(() -> answer.orTimeout(30, TimeUnit.SECONDS).join())
                .hasCauseInstanceOf(RedisLimitException.class)
                .hasMessageContaining("redis \"levee\": ")
                .hasMessageContaining(why);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                LOADING + "|the server still loads its data",
                BUSY + "|the server is busy with another script",
                "UNKILLABLE Sorry the script already executed write commands|the server is busy with another script",
                READONLY + "|the server is a read-only replica",
                CLUSTERDOWN + "|the cluster does not serve the slot of the limit",
                "MASTERDOWN Link with MASTER is down|the cluster does not serve the slot of the limit",
                MOVED + "|the server is one of a cluster; use a connection of RedisClusterClient",
                "ASK 3999 127.0.0.1:6381|the server is one of a cluster",
                "CROSSSLOT Keys in request don't hash to the same slot|the server is one of a cluster",
                "OOM command not allowed when used memory > 'maxmemory'.|the server is out of memory",
                "NOPERM User limited has no permissions to run the 'evalsha' command|the user may not run the script",
                "NOAUTH Authentication required.|the user may not run the script",
                "MISCONF Errors writing to the AOF file|the server refuses the script (MISCONF",
                "ERR wrong number of arguments|the server refuses the script (ERR wrong"
            })
    void each_error_is_named(String error, String why) {
        server.fails(error);

        assertNamed(RedisQuotaStore.of(connection).take(batch()), why);
        assertNamed(
                RedisPermitStore.of(connection).renew(new PermitRequest("pool", "a", 1, 10, 1_000_000_000, 0, 0, 1, 1)),
                why);
    }

    @ParameterizedTest
    @ValueSource(strings = {"+OK", "$-1", "*0", ":1", "*2\r\n:1\r\n:2", "$3\r\nabc", "*2\r\n:1\r\n$2\r\nab"})
    void an_answer_that_is_not_of_the_script_is_named(String answer) {
        server.says(answer);

        assertNamed(
                RedisQuotaStore.of(connection).take(batch()), "the server has answered something else than expected");
        assertNamed(
                RedisPermitStore.of(connection).renew(new PermitRequest("pool", "a", 1, 10, 1_000_000_000, 0, 0, 1, 1)),
                "the server has answered something else than expected");
    }

    @Test
    void a_script_that_the_server_does_not_keep_is_not_sent_for_ever() {
        server.fails("NOSCRIPT No matching script. Please use EVAL.");

        assertNamed(RedisQuotaStore.of(connection).take(batch()), "NOSCRIPT");
        assertThat(server.scripts()).isEqualTo(2);
    }

    private RateLimiter limiter(SharedLimits limits, OnOutage onOutage) {
        return limits.limiter(
                "api",
                config -> config.limit(Limit.of(8, Duration.ofHours(10)))
                        .mode(SharedMode.EXACT)
                        .onOutage(onOutage));
    }

    @ParameterizedTest
    @ValueSource(strings = {LOADING, BUSY, READONLY, CLUSTERDOWN, MOVED})
    void limiters_go_by_their_outage_mode_and_ask_one_at_a_time(String error) throws InterruptedException {
        server.fails(error);
        try (SharedLimits limits = SharedLimits.of("redis", RedisQuotaStore.of(connection))) {
            RateLimiter closed = limiter(limits, OnOutage.closed());
            RateLimiter open = limiter(limits, OnOutage.open());
            RateLimiter share = limiter(limits, OnOutage.localShare(0.5));
            int shared = 0;
            for (int i = 0; i < 100; i++) {
                assertThat(closed.tryAcquire()).isFalse();
                assertThat(open.tryAcquire()).isTrue();
                shared += share.tryAcquire() ? 1 : 0;
            }
            assertThat(limits.isOutage()).isTrue();
            assertThat(shared).isEqualTo(4);
            assertThat(server.scripts()).as("of 300 calls").isLessThan(20);

            // code permits wait remaining reset sharers time, of one request
            server.answers(1_000_000, 0, 1, 0, 7, 0, 1, 1_000_000);
            long start = System.nanoTime();
            while (limits.isOutage()) {
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(60));
                TimeUnit.MILLISECONDS.sleep(5);
            }
            assertThat(closed.tryAcquire()).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {LOADING, BUSY, READONLY, CLUSTERDOWN, MOVED})
    void bulkheads_go_by_their_outage_mode(String error) throws InterruptedException {
        server.fails(error);
        try (SharedBulkhead closed = SharedBulkhead.of("pool", 8, RedisPermitStore.of(connection));
                SharedBulkhead some = SharedBulkhead.of(
                        "pool", config -> config.maxConcurrent(8).outagePermits(2), RedisPermitStore.of(connection))) {
            long start = System.nanoTime();
            while (some.leased() == 0 && some.tryEnter(System.nanoTime()) == Gate.REFUSED) {
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(60));
                TimeUnit.MILLISECONDS.sleep(5);
            }
            int inFlight = 0;
            for (int i = 0; i < 10; i++) {
                inFlight += some.tryEnter(System.nanoTime()) == Gate.REFUSED ? 0 : 1;
                assertThat(closed.tryEnter(System.nanoTime())).isEqualTo(Gate.REFUSED);
            }
            assertThat(some.inFlight()).isEqualTo(2);
            assertThat(inFlight).isLessThanOrEqualTo(2);
        }
    }
}
