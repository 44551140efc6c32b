package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateDecision;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class SharedKeyedTest {
    private final SharedCluster cluster = new SharedCluster();

    @Test
    void keys_have_limits_of_their_own_that_nodes_share() {
        KeyedRateLimiter<String> one = cluster.node().limits.keyed("api", Limit.of(5, Duration.ofSeconds(10)));
        KeyedRateLimiter<String> two = cluster.node().limits.keyed("api", Limit.of(5, Duration.ofSeconds(10)));

        assertThat(one.tryAcquire("a", 3)).isTrue();
        assertThat(two.tryAcquire("a", 2)).isTrue();
        assertThat(one.tryAcquire("a")).isFalse();
        assertThat(two.tryAcquire("b", 5)).isTrue();
        assertThat(one.tryAcquireOrWaitNanos("c", 6)).isEqualTo(KeyedRateLimiter.NEVER);
        RateDecision decision = one.decide("d", 2);
        assertThat(decision.isAdmitted()).isTrue();
        assertThat(decision.remaining()).isEqualTo(3);
    }

    @Test
    void a_flooded_key_costs_no_trips() {
        KeyedRateLimiter<String> limiter = cluster.node().limits.keyed("api", Limit.of(5, Duration.ofSeconds(10)));
        for (int i = 0; i < 6; i++) {
            limiter.tryAcquire("a");
        }
        long before = cluster.store.batches();
        for (int i = 0; i < 10_000; i++) {
            assertThat(limiter.tryAcquire("a")).isFalse();
        }
        assertThat(cluster.store.batches()).isEqualTo(before);
        assertThat(limiter.tryAcquire("b")).isTrue();
    }

    @Test
    void a_hot_key_gets_leases_and_a_cold_one_none() {
        KeyedRateLimiter<String> limiter = cluster.node().limits.keyed("api", Limit.perSecond(1_000));
        for (int i = 0; i < 4_000; i++) {
            cluster.pass(2);
            assertThat(limiter.tryAcquire("hot")).isTrue();
        }
        long hot = cluster.store.batches();
        assertThat(hot).isLessThan(500);
        for (int i = 0; i < 50; i++) {
            cluster.pass(500);
            assertThat(limiter.tryAcquire("cold")).isTrue();
        }
        assertThat(cluster.store.batches() - hot).isBetween(50L, 55L);
    }

    @Test
    void keys_are_bounded_and_forgetting_one_admits_nothing_more() {
        KeyedRateLimiter<String> limiter = cluster.node()
                .limits
                .keyed(
                        "api",
                        config -> config.limit(Limit.of(5, Duration.ofHours(1))).maxKeys(50));
        for (int i = 0; i < 5; i++) {
            assertThat(limiter.tryAcquire("attacker")).isTrue();
        }
        for (int i = 0; i < 2_000; i++) {
            limiter.tryAcquire("key" + i);
            assertThat(limiter.size()).isLessThanOrEqualTo(51);
        }

        assertThat(limiter.tryAcquire("attacker")).isFalse();
    }

    @Test
    void what_is_settled_is_charged() {
        KeyedRateLimiter<String> limiter = cluster.node().limits.keyed("api", Limit.of(5, Duration.ofSeconds(10)));
        limiter.tryAcquire("a");
        limiter.settle("a", 4);

        assertThat(limiter.tryAcquire("a")).isFalse();
        limiter.settle("a", -5);
        cluster.pass(2_000);
        assertThat(limiter.tryAcquire("a", 5)).isTrue();
    }

    @Test
    void many_keys_go_in_bounded_batches() {
        SharedCluster.Node node =
                new SharedCluster.Node(cluster, 0, new SharedLimits.Delivery(Duration.ofMillis(250), 10, 2));
        node.way.answerDelayNanos = SharedCluster.MILLI;
        KeyedRateLimiter<String> limiter = node.limits.keyed("api", Limit.of(5, Duration.ofSeconds(10)));
        for (int i = 0; i < 42; i++) {
            String key = "k" + i;
            cluster.time.start(() -> limiter.tryAcquire(key));
        }
        cluster.time.awaitSleepers(42);
        cluster.pass(50);

        assertThat(cluster.store.requests()).isEqualTo(42);
        assertThat(cluster.store.batches()).isBetween(5L, 8L);
        assertThat(cluster.time.sleepers()).isZero();
    }
}
