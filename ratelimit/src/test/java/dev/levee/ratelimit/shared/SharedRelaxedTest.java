package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Limiters that count locally and tell the store at intervals. */
class SharedRelaxedTest {
    private final SharedCluster cluster = new SharedCluster();
    private final SharedCluster.Node node = cluster.node();

    private RateLimiter limiter(SharedCluster.Node of, long permits) {
        return of.limits.limiter(
                "api",
                config -> config.limit(Limit.of(permits, Duration.ofSeconds(1000)))
                        .mode(SharedMode.RELAXED)
                        .ahead(permits / 2)
                        .period(Duration.ofMillis(100)));
    }

    @Test
    void the_store_is_told_once_in_a_period_however_long_a_trip_takes() {
        node.way.delayNanos = 5 * SharedCluster.MILLI;
        RateLimiter limiter = limiter(node, 100_000);
        limiter.acquireAsync(1, Duration.ofSeconds(1));
        cluster.pass(100);
        long before = cluster.store.batches();

        for (int i = 0; i < 1_000; i++) {
            assertThat(limiter.tryAcquire()).isTrue();
            cluster.pass(1);
        }

        assertThat(cluster.store.batches() - before).isBetween(5L, 21L);
    }

    @Test
    void what_comes_back_while_other_use_is_told_is_not_lost() {
        RateLimiter limiter = limiter(node, 1_000);
        limiter.acquireAsync(1, Duration.ofSeconds(1));
        cluster.pass(100);
        for (int i = 0; i < 100; i++) {
            long stamp = limiter.tryEnter(cluster.time.nanoTime());
            cluster.pass(150); // told meanwhile
            assertThat(limiter.tryAcquire()).isTrue();
            limiter.exit(stamp, 0, 0, Verdict.NOT_SENT, RefusedException.UNKNOWN);
        }
        cluster.pass(1_000);

        RateLimiter other = limiter(cluster.node(), 1_000);
        other.acquireAsync(1, Duration.ofSeconds(1));
        cluster.pass(100);
        // 102 were used in 16 s, in which 16 came back; each return is less by what time gave meanwhile
        assertThat(other.availablePermits()).isBetween(880L, 920L);
    }

    @Test
    void what_is_used_reaches_the_store_however_much_comes_back() {
        RateLimiter limiter = limiter(node, 1_000);
        limiter.acquireAsync(1, Duration.ofSeconds(1));
        cluster.pass(100);
        for (int i = 0; i < 100; i++) {
            assertThat(limiter.tryAcquire(2)).isTrue();
            limiter.settle(-1);
            cluster.pass(10);
        }
        cluster.pass(1_000);

        RateLimiter other = limiter(cluster.node(), 1_000);
        other.acquireAsync(1, Duration.ofSeconds(1));
        cluster.pass(100);
        assertThat(other.availablePermits()).isBetween(896L, 904L);
    }

    @Test
    void a_key_is_not_forgotten_before_the_store_knows_what_was_used() {
        KeyedRateLimiter<String> limiter = node.limits.keyed(
                "keys",
                config -> config.limit(Limit.of(100, Duration.ofDays(1)))
                        .mode(SharedMode.RELAXED)
                        .ahead(20)
                        .period(Duration.ofMillis(100))
                        .maxKeys(2));
        int admitted = 0;
        for (int round = 0; round < 50; round++) {
            for (int i = 0; i < 10; i++) {
                admitted += limiter.tryAcquire("hot") ? 1 : 0;
            }
            for (int other = 0; other < 8; other++) {
                limiter.tryAcquire("other " + round + " " + other);
            }
        }

        assertThat(admitted).isBetween(80, 120);
        cluster.pass(10_000);
        for (int other = 0; other < 8; other++) {
            limiter.tryAcquire("last " + other);
            cluster.pass(200);
        }
        assertThat(limiter.size()).isLessThanOrEqualTo(3);
    }

    @Test
    void calls_are_admitted_while_the_store_has_permits_however_few_a_process_may_be_ahead() {
        node.way.delayNanos = SharedCluster.MILLI;
        RateLimiter limiter = node.limits.limiter(
                "few",
                config -> config.limit(Limit.of(5, Duration.ofDays(1)))
                        .mode(SharedMode.RELAXED)
                        .ahead(1));
        int admitted = 0;
        for (int i = 0; i < 10; i++) {
            CompletableFuture<?> call = limiter.acquireAsync(1, Duration.ZERO);
            cluster.pass(10);
            admitted += call.isDone() && !call.isCompletedExceptionally() ? 1 : 0;
        }

        assertThat(admitted).isEqualTo(5);
        assertThat(cluster.store.batches()).isLessThan(15);
    }

    @Test
    void a_call_that_waits_for_several_permits_does_not_ask_all_the_time() {
        node.way.delayNanos = SharedCluster.MILLI;
        RateLimiter limiter = node.limits.limiter(
                "several",
                config -> config.limit(Limit.of(10, Duration.ofSeconds(10)))
                        .mode(SharedMode.RELAXED)
                        .ahead(8)
                        .period(Duration.ofSeconds(1)));
        CompletableFuture<?> first = limiter.acquireAsync(7, Duration.ofSeconds(1));
        cluster.pass(10);
        assertThat(first).isCompleted();
        long before = cluster.store.batches();
        CompletableFuture<?> waits = limiter.acquireAsync(6, Duration.ofSeconds(20));
        cluster.pass(2_500);
        assertThat(waits).isNotDone();
        cluster.pass(1_500);

        assertThat(waits).isCompleted();
        assertThat(cluster.store.batches() - before).isBetween(1L, 12L);
    }
}
