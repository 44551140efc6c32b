package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CapturedLog;
import dev.levee.ratelimit.KeyedRateLimiter;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimitedException;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SharedOutageTest {
    private static final TokenBucketLimit LIMIT = Limit.of(100, Duration.ofSeconds(10));

    private final SharedCluster cluster = new SharedCluster();
    private final SharedCluster.Node node = cluster.node();

    private RateLimiter limiter(OnOutage onOutage) {
        return node.limits.limiter(
                "api", config -> config.limit(LIMIT).mode(SharedMode.EXACT).onOutage(onOutage));
    }

    private int take(RateLimiter limiter, int calls) {
        int admitted = 0;
        for (int i = 0; i < calls; i++) {
            CompletableFuture<?> call = limiter.acquireAsync(1, Duration.ZERO);
            if (!call.isDone()) {
                cluster.pass(300);
            }
            admitted += call.isCompletedExceptionally() ? 0 : 1;
        }
        return admitted;
    }

    @ParameterizedTest
    @EnumSource(
            value = FaultyStore.Fault.class,
            names = {"LOST", "ANSWER_LOST", "HELD", "ERROR", "HALVED", "THROWS"})
    void an_outage_costs_one_time_out_and_ends_by_itself(FaultyStore.Fault fault) {
        RateLimiter limiter = limiter(OnOutage.closed());
        assertThat(take(limiter, 1)).isEqualTo(1);
        node.way.fault = fault;

        assertThat(take(limiter, 1)).isZero();
        assertThat(node.limits.isOutage()).isTrue();
        for (int i = 0; i < 100; i++) {
            assertThat(limiter.tryAcquire()).isFalse();
            assertThat(limiter.tryAcquireOrWaitNanos()).isBetween(1L, 5_000_000_000L);
        }
        cluster.pass(60_000);
        assertThat(limiter.tryAcquire()).isFalse();
        node.way.fault = FaultyStore.Fault.NONE;
        cluster.pass(7_000);

        assertThat(node.limits.isOutage()).isFalse();
        assertThat(limiter.tryAcquire()).isTrue();
    }

    @Test
    void all_calls_that_wait_are_decided_at_once() {
        RateLimiter limiter = limiter(OnOutage.closed());
        node.way.fault = FaultyStore.Fault.LOST;
        CompletableFuture<?> first = limiter.acquireAsync(1, Duration.ZERO);
        CompletableFuture<?> second = limiter.acquireAsync(1, Duration.ofMinutes(1));
        cluster.pass(249);
        assertThat(first).isNotDone();
        cluster.pass(2);

        assertThatThrownBy(first::join)
                .hasCauseInstanceOf(RateLimitedException.class)
                .hasMessageContaining("the store does not answer, and the outage policy is closed");
        assertThat(second).isCompletedExceptionally();
    }

    @Test
    void it_is_logged_once_when_it_begins_and_when_it_ends() {
        RateLimiter limiter = limiter(OnOutage.closed());
        try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
            node.way.fault = FaultyStore.Fault.LOST;
            take(limiter, 20);
            cluster.pass(20_000);
            node.way.fault = FaultyStore.Fault.NONE;
            cluster.pass(7_000);

            assertThat(log.lines()).hasSize(2);
            assertThat(log.lines().get(0))
                    .contains("limits \"redis\": the store does not answer")
                    .contains("no answer within 250ms");
            assertThat(log.lines().get(1)).contains("limits \"redis\": the store answers again");
        }
    }

    @Test
    void a_key_about_which_the_store_cannot_decide_is_in_an_outage_alone() {
        KeyedRateLimiter<String> keyed = node.limits.keyed(
                "api", config -> config.limit(LIMIT).mode(SharedMode.EXACT).onOutage(OnOutage.localShare(0.1)));
        cluster.store.spoil("api", "bad", true);
        try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
            int good = 0;
            int bad = 0;
            for (int i = 0; i < 120; i++) {
                bad += keyed.tryAcquire("bad") ? 1 : 0;
                good += keyed.tryAcquire("good") ? 1 : 0;
            }
            assertThat(good).isEqualTo(100);
            assertThat(bad).as("a tenth").isEqualTo(10);
            assertThat(node.limits.isOutage()).isFalse();
            long requests = cluster.store.requests();
            for (int i = 0; i < 50; i++) {
                cluster.pass(100);
                keyed.tryAcquire("bad");
            }
            assertThat(cluster.store.requests() - requests)
                    .as("asked again each second")
                    .isBetween(4L, 6L);

            cluster.store.spoil("api", "bad", false);
            cluster.pass(1_100);
            keyed.tryAcquire("bad");

            assertThat(keyed.availablePermits("bad"))
                    .as("what was given is charged")
                    .isBetween(90L, 96L);
            assertThat(log.lines()).hasSize(2);
            assertThat(log.lines().get(0))
                    .contains("limiter \"api\": the store cannot decide about key \"bad\"")
                    .contains("what is kept of it is of another program");
            assertThat(log.lines().get(1)).contains("decides about key \"bad\" again");
        }
    }

    @Test
    void what_was_carried_out_and_not_answered_is_charged_once() {
        RateLimiter limiter = limiter(OnOutage.closed());
        node.way.fault = FaultyStore.Fault.ANSWER_LOST;
        assertThat(take(limiter, 1)).isZero();
        cluster.pass(3_000);
        node.way.fault = FaultyStore.Fault.NONE;
        cluster.pass(5_000);

        assertThat(node.limits.isOutage()).isFalse();
        limiter.settle(0);
        cluster.pass(1_000);
        RateLimiter other = new SharedCluster.Node(cluster, 0, SharedLimits.Delivery.DEFAULT)
                .limits.limiter("api", config -> config.limit(LIMIT).mode(SharedMode.EXACT));
        assertThat(take(other, 150)).isEqualTo(100);
    }

    /** A client that has lost its connection keeps commands, and sends all of them when it has one again. */
    @Test
    void what_a_client_holds_back_is_charged_once_after_a_long_outage() {
        RateLimiter limiter = node.limits.limiter(
                "api", config -> config.limit(LIMIT).mode(SharedMode.RELAXED).ahead(20));
        assertThat(take(limiter, 1)).isEqualTo(1);
        node.way.fault = FaultyStore.Fault.HELD;
        assertThat(take(limiter, 5)).isEqualTo(5);
        cluster.pass(300_000);
        assertThat(node.limits.isOutage()).isTrue();

        node.way.fault = FaultyStore.Fault.NONE;
        node.way.release();
        QuotaRequest look =
                new QuotaRequest("api", "", new QuotaTerms(LIMIT, 0, 0), 0, Long.MAX_VALUE, 0, 0, 0, Long.MAX_VALUE);
        long left = cluster.store
                .take(new QuotaBatch("look", 1, List.of(look)))
                .join()
                .get(0)
                .remaining();

        assertThat(left).as("used 5, told at most twice").isGreaterThanOrEqualTo(90);
        cluster.pass(7_000);
        assertThat(node.limits.isOutage()).isFalse();
    }

    @Nested
    class Open {
        @Test
        void admits_all_and_there_is_no_burst_afterwards() {
            RateLimiter limiter = limiter(OnOutage.open());
            node.way.fault = FaultyStore.Fault.LOST;

            assertThat(take(limiter, 500)).isEqualTo(500);
            node.way.fault = FaultyStore.Fault.NONE;
            cluster.pass(7_000);
            assertThat(take(limiter, 500)).isLessThanOrEqualTo(70);
            assertThat(node.limits.isOutage()).isFalse();
        }
    }

    @Nested
    class Local_share {
        @Test
        void admits_its_fraction_and_there_is_no_burst_afterwards() {
            RateLimiter limiter = limiter(OnOutage.localShare(0.25));
            node.way.fault = FaultyStore.Fault.ERROR;
            int admitted = take(limiter, 500);

            assertThat(admitted).isBetween(24, 25);
            cluster.time.advance(Duration.ofSeconds(4));
            assertThat(take(limiter, 500)).isEqualTo(10);
            node.way.fault = FaultyStore.Fault.NONE;
            while (node.limits.isOutage()) {
                cluster.pass(10);
            }
            int afterwards = take(limiter, 500);
            assertThat(afterwards).isBetween(75, 95);
        }

        @Test
        void begins_with_its_part_of_what_was_left() {
            RateLimiter limiter = limiter(OnOutage.localShare(0.5));
            assertThat(take(limiter, 90)).isEqualTo(90);
            node.way.fault = FaultyStore.Fault.ERROR;

            assertThat(take(limiter, 500)).isBetween(4, 6);
        }

        @Test
        void is_of_each_key() {
            KeyedRateLimiter<String> keyed = node.limits.keyed(
                    "k", config -> config.limit(LIMIT).mode(SharedMode.EXACT).onOutage(OnOutage.localShare(0.1)));
            node.way.fault = FaultyStore.Fault.THROWS;
            int[] admitted = new int[2];
            for (int i = 0; i < 100; i++) {
                admitted[0] += keyed.tryAcquire("a") ? 1 : 0;
                admitted[1] += keyed.tryAcquire("b") ? 1 : 0;
            }

            assertThat(admitted).containsExactly(10, 10);
        }
    }

    @Nested
    class A_conflict {
        private final SharedCluster.Node other = cluster.node();

        @Test
        void is_named_and_goes_by_the_outage_policy_until_it_is_settled() {
            RateLimiter first = limiter(OnOutage.closed());
            assertThat(first.tryAcquire()).isTrue();
            try (CapturedLog log = new CapturedLog(SharedLimits.class)) {
                RateLimiter second = other.limits.limiter(
                        "api", config -> config.limit(LIMIT.burst(50)).mode(SharedMode.EXACT));
                for (int i = 0; i < 100; i++) {
                    assertThat(second.tryAcquire()).isFalse();
                    cluster.pass(50);
                }
                assertThat(log.lines()).hasSize(1);
                assertThat(log.lines().get(0))
                        .contains("limiter \"api\"")
                        .contains("100 per 10s, burst 50")
                        .contains("100 per 10s, burst 100")
                        .contains("closed");
                assertThat(other.limits.isOutage()).isFalse();

                second.reconfigure(LIMIT.burst(80));
                cluster.pass(1_100);
                second.tryAcquire();
                cluster.pass(10);
                assertThat(second.tryAcquire()).isTrue();
                assertThat(first.tryAcquire()).isTrue();
                assertThat(first.limit()).isEqualTo(LIMIT.burst(80));
                assertThat(second.limit()).isEqualTo(LIMIT.burst(80));
            }
        }

        @Test
        void is_none_between_processes_of_two_revisions() {
            RateLimiter old = limiter(OnOutage.closed());
            old.tryAcquire(60);
            RateLimiter next = other.limits.limiter(
                    "api",
                    config ->
                            config.limit(LIMIT.burst(70)).mode(SharedMode.EXACT).revision(1));

            assertThat(next.tryAcquire(10)).isTrue();
            assertThat(next.tryAcquire()).isFalse();
            assertThat(old.tryAcquire()).isFalse();
            assertThat(old.limit()).isEqualTo(LIMIT.burst(70));
        }

        @Test
        void of_leases_and_exact_is_found() {
            limiter(OnOutage.closed()).tryAcquire();
            RateLimiter leased = other.limits.limiter("api", LIMIT);

            assertThat(leased.tryAcquire()).isFalse();
        }
    }

    @Test
    void a_closed_way_goes_by_the_outage_policy() {
        RateLimiter limiter = limiter(OnOutage.localShare(1));
        assertThat(limiter.tryAcquire()).isTrue();
        node.limits.close();

        assertThat(limiter.tryAcquire()).isTrue();
        assertThat(cluster.store.batches()).isEqualTo(1);
    }

    @Test
    void closing_decides_calls_whose_request_was_not_sent_yet() {
        SharedCluster.Node narrow =
                new SharedCluster.Node(cluster, 0, new SharedLimits.Delivery(Duration.ofMillis(250), 100, 1));
        RateLimiter first =
                narrow.limits.limiter("first", config -> config.limit(LIMIT).mode(SharedMode.EXACT));
        RateLimiter second = narrow.limits.limiter(
                "second", config -> config.limit(LIMIT).mode(SharedMode.EXACT).onOutage(OnOutage.closed()));
        narrow.way.fault = FaultyStore.Fault.HELD;
        CompletableFuture<?> sent = first.acquireAsync(1, Duration.ofMinutes(1));
        CompletableFuture<?> queued = second.acquireAsync(1, Duration.ofMinutes(1));

        narrow.limits.close();

        assertThat(queued).isCompletedExceptionally();
        assertThat(sent).isNotDone();
        cluster.pass(300);
        assertThat(sent).isDone();
    }

    @Test
    void an_answer_that_comes_after_closing_does_not_begin_requests_again() {
        RateLimiter limiter = limiter(OnOutage.localShare(1));
        node.way.fault = FaultyStore.Fault.LOST;
        take(limiter, 1);
        node.way.fault = FaultyStore.Fault.HELD;
        cluster.pass(150); // a probe is on its way

        node.limits.close();
        node.way.release();
        long batches = cluster.store.batches();
        node.way.fault = FaultyStore.Fault.NONE;

        assertThat(node.limits.isOutage()).isTrue();
        take(limiter, 3);
        cluster.pass(60_000);
        assertThat(cluster.store.batches()).isEqualTo(batches);
    }

    @Test
    void a_small_share_of_a_slow_limit_admits_its_one_permit() {
        RateLimiter limiter = node.limits.limiter(
                "slow",
                config -> config.limit(Limit.of(1, Duration.ofDays(600)))
                        .mode(SharedMode.EXACT)
                        .onOutage(OnOutage.localShare(0.001)));
        node.way.fault = FaultyStore.Fault.ERROR;

        assertThat(limiter.tryAcquire()).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
    }
}
