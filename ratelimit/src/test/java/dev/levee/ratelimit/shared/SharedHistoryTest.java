package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import dev.levee.ratelimit.TokenBucketLimit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What many nodes admit together, over random histories of calls and faults. */
class SharedHistoryTest {
    /** How many histories of each kind: 3, or as many as the property says. */
    private static final int HISTORIES = Integer.getInteger("levee.shared.histories", 3);

    private static final FaultyStore.Fault[] FAULTS = FaultyStore.Fault.values();

    /** The largest sum over all windows of what was admitted beyond the rate. */
    private static final class History {
        private final TokenBucketLimit limit;
        private final List<long[]> admissions = new ArrayList<>();

        History(TokenBucketLimit limit) {
            this.limit = limit;
        }

        void admitted(long nanos, long permits) {
            admissions.add(new long[] {nanos, permits});
        }

        long sum() {
            return admissions.stream().mapToLong(a -> a[1]).sum();
        }

        /** Checks that for all i <= j the permits from i to j are at most some and the rate times the time between. */
        void check(double most, String what) {
            double least = Double.MAX_VALUE;
            double sum = 0;
            double perNano = (double) limit.permits() / limit.per().toNanos();
            for (long[] to : admissions) {
                least = Math.min(least, sum - perNano * to[0]);
                sum += to[1];
                assertThat(sum - perNano * to[0] - least).as(what).isLessThanOrEqualTo(most + 1e-6);
            }
        }
    }

    /** One history: nodes that call at random paces, with faults in between. */
    private static final class Run {
        final Random random;
        final SharedCluster cluster = new SharedCluster();
        final List<SharedCluster.Node> nodes = new ArrayList<>();
        final List<RateLimiter> limiters = new ArrayList<>();
        final List<Long> pausedUntil = new ArrayList<>();
        final List<Double> paces = new ArrayList<>();
        final SharedMode mode;
        final TokenBucketLimit limit;
        final OnOutage onOutage;
        final History history;
        final long origin = cluster.time.nanoTime();
        int incarnations;
        boolean clockJumps;
        boolean forgets;

        Run(long seed, SharedMode mode, TokenBucketLimit limit, OnOutage onOutage) {
            random = new Random(seed);
            cluster.time.seed(seed);
            this.mode = mode;
            this.limit = limit;
            this.onOutage = onOutage;
            history = new History(limit);
            int count = 1 + random.nextInt(16);
            for (int i = 0; i < count; i++) {
                nodes.add(null);
                limiters.add(null);
                pausedUntil.add(0L);
                paces.add(0.0);
                start(i);
            }
        }

        void start(int i) {
            incarnations++;
            long offset = random.nextLong() >> random.nextInt(20);
            nodes.set(i, cluster.node(offset));
            nodes.get(i).way.delayNanos = random.nextInt(3) * 300_000L;
            nodes.get(i).way.answerDelayNanos = random.nextInt(3) * 300_000L;
            limiters.set(
                    i,
                    nodes.get(i)
                            .limits
                            .limiter(
                                    "api",
                                    config -> config.limit(limit).mode(mode).onOutage(onOutage)));
            paces.set(i, Math.pow(random.nextDouble(), 3));
        }

        void step(boolean faults) {
            cluster.time.advance(Duration.ofNanos(500_000));
            long now = cluster.time.nanoTime() - origin;
            for (int i = 0; i < nodes.size(); i++) {
                if (now < pausedUntil.get(i) || random.nextDouble() > paces.get(i)) {
                    continue;
                }
                RateLimiter limiter = limiters.get(i);
                long permits = random.nextInt(10) == 0 ? 1 + random.nextInt(5) : 1;
                limiter.acquireAsync(permits, Duration.ofMillis(random.nextInt(3) * 20L))
                        .thenRun(() -> history.admitted(cluster.time.nanoTime() - origin, permits));
            }
            if (faults && random.nextInt(60) == 0) {
                fault(now);
            }
        }

        private void fault(long now) {
            int i = random.nextInt(nodes.size());
            int kind = random.nextInt(clockJumps || forgets ? 7 : 6);
            if (clockJumps && (kind == 0 || kind == 5)) {
                kind = 6; // a new process knows of no earlier time, and a slow way hides a jump of as much
            }
            switch (kind) {
                case 0 -> start(i); // crashed in the middle of all it did
                case 1 -> pausedUntil.set(i, now + random.nextInt(400) * SharedCluster.MILLI);
                case 2, 3 -> nodes.get(i).way.fault = FAULTS[random.nextInt(FAULTS.length)];
                case 4 -> nodes.forEach(node -> node.way.fault = FaultyStore.Fault.NONE);
                case 5 -> {
                    nodes.get(i).way.delayNanos = random.nextInt(1_500) * SharedCluster.MILLI / 2;
                    nodes.get(i).way.answerDelayNanos = random.nextInt(300) * SharedCluster.MILLI;
                }
                default -> {
                    if (forgets) {
                        cluster.store.forgetAll();
                    } else {
                        jump();
                    }
                }
            }
        }

        private void jump() {
            cluster.store.setAhead((random.nextInt(200_000) - 100_000) * SharedCluster.MILLI);
        }
    }

    @Test
    void strict_leases_never_exceed_the_limit_whatever_fails() {
        for (int seed = 0; seed < HISTORIES; seed++) {
            TokenBucketLimit limit = Limit.perSecond(200 + seed * 37L).burst(100 + seed * 13L);
            Run run = new Run(seed, SharedMode.LEASED, limit, OnOutage.closed());
            for (int step = 0; step < 6_000; step++) {
                run.step(true);
            }

            assertThat(run.history.sum()).isPositive();
            run.history.check((double) limit.burst(), "seed " + seed + ", " + limit);
        }
    }

    @Test
    void strict_leases_never_exceed_the_limit_when_the_store_forgets() {
        for (int seed = 0; seed < HISTORIES; seed++) {
            TokenBucketLimit limit = Limit.perSecond(200 + seed * 37L).burst(100 + seed * 13L);
            Run run = new Run(3_000 + seed, SharedMode.LEASED, limit, OnOutage.closed());
            run.forgets = true;
            for (int step = 0; step < 6_000; step++) {
                run.step(true);
            }

            run.history.check((double) limit.burst(), "seed " + seed + ", " + limit);
        }
    }

    @Test
    void strict_leases_exceed_the_limit_by_no_more_than_a_jump_of_the_clock_hides() {
        for (int seed = 0; seed < HISTORIES; seed++) {
            TokenBucketLimit limit = Limit.perSecond(200 + seed * 37L).burst(100 + seed * 13L);
            Run run = new Run(1_000 + seed, SharedMode.LEASED, limit, OnOutage.closed());
            run.clockJumps = true;
            run.limiters.forEach(
                    limiter -> limiter.acquireAsync(1, Duration.ZERO).thenRun(() -> run.history.admitted(0, 1)));
            run.cluster.pass(10); // each process knows of the time of the store
            for (int step = 0; step < 6_000; step++) {
                run.step(true);
            }

            // All jumps together are seen but for what a tenth of a second and a few round trips of 1.2 ms may hide.
            double hidden = limit.permits() * 0.105;
            run.history.check(limit.burst() + hidden, "seed " + seed + ", " + limit);
        }
    }

    @Test
    void relaxed_nodes_are_ahead_by_no_more_than_stated() {
        for (int seed = 0; seed < HISTORIES; seed++) {
            TokenBucketLimit limit = Limit.perSecond(200 + seed * 37L).burst(100 + seed * 13L);
            Run run = new Run(2_000 + seed, SharedMode.RELAXED, limit, OnOutage.closed());
            for (int step = 0; step < 6_000; step++) {
                run.step(true);
            }

            long ahead = Math.max(1, limit.burst() / 16);
            assertThat(run.history.sum()).isPositive();
            run.history.check((double) (limit.burst() + run.incarnations * ahead), "seed " + seed + ", " + limit);
        }
    }

    private static double admittedShare(SharedMode mode, int count, boolean isFast) {
        SharedCluster cluster = new SharedCluster();
        TokenBucketLimit limit = isFast ? Limit.perSecond(20_000) : Limit.perSecond(1_000);
        List<SharedCluster.Node> nodes = new ArrayList<>();
        List<RateLimiter> limiters = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            nodes.add(cluster.node(i * 1_234_567_890L));
            nodes.get(i).way.delayNanos = 150_000;
            nodes.get(i).way.answerDelayNanos = 150_000;
            limiters.add(nodes.get(i)
                    .limits
                    .limiter("api", config -> config.limit(limit).mode(mode)));
        }
        long[] admitted = new long[1];
        History history = new History(limit);
        long origin = cluster.time.nanoTime();
        int calls = (int) (limit.permits() / 1_000 / count) + 1;
        for (int step = 0; step < 7_000; step++) {
            cluster.time.advance(Duration.ofMillis(1));
            boolean counts = step >= 2_000;
            int first = isFast ? 0 : step % count;
            int last = isFast ? count : Math.min(count, first + 2);
            for (int i = first; i < last; i++) {
                for (int call = 0; call < calls; call++) {
                    limiters.get(i).acquireAsync(1, Duration.ZERO).thenRun(() -> {
                        history.admitted(cluster.time.nanoTime() - origin, 1);
                        admitted[0] += counts ? 1 : 0;
                    });
                }
            }
        }
        history.check((double) limit.burst(), count + " nodes");
        return admitted[0] / (limit.permits() * 5.0);
    }

    @Test
    void steady_load_above_the_limit_is_admitted_up_to_the_limit() {
        for (int nodes : new int[] {1, 16}) {
            for (boolean isFast : new boolean[] {false, true}) {
                double share = admittedShare(SharedMode.LEASED, nodes, isFast);
                assertThat(share).as(nodes + " nodes").isBetween(0.98, 1.2);
            }
        }
    }

    @Test
    void a_greedy_node_leaves_the_others_what_they_want() {
        SharedCluster cluster = new SharedCluster();
        TokenBucketLimit limit = Limit.perSecond(1_000);
        List<RateLimiter> limiters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            SharedCluster.Node node = cluster.node();
            node.way.delayNanos = 150_000;
            node.way.answerDelayNanos = 150_000;
            limiters.add(node.limits.limiter("api", limit));
        }
        int[] asked = new int[5];
        int[] got = new int[5];
        for (int step = 0; step < 10_000; step++) {
            cluster.time.advance(Duration.ofMillis(1));
            for (int i = 0; i < 5; i++) {
                boolean isGreedy = i == 0;
                for (int call = 0; call < (isGreedy ? 10 : step % 10 == i ? 1 : 0); call++) {
                    int node = i;
                    if (step >= 2_000) {
                        asked[node]++;
                        limiters.get(node).acquireAsync(1, Duration.ZERO).thenRun(() -> got[node]++);
                    } else {
                        limiters.get(node).acquireAsync(1, Duration.ZERO);
                    }
                }
            }
        }
        for (int i = 1; i < 5; i++) {
            assertThat(got[i]).isGreaterThanOrEqualTo((int) (asked[i] * 0.98));
        }
        assertThat(got[0]).isGreaterThan((int) (8_000 * 0.56));
    }
}
