package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real threads, and sums that must come out. */
@SuppressWarnings("IntLongMath")
class RateLimiterThreadsTest {
    private static final int THREADS = 4;

    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private long sumOf(Callable<Long> counted) throws Exception {
        List<Future<Long>> futures = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            futures.add(executor.submit(counted));
        }
        long sum = 0;
        for (Future<Long> future : futures) {
            sum += future.get();
        }
        return sum;
    }

    @Test
    void at_one_moment_exactly_the_burst_is_admitted() throws Exception {
        RateLimiter limiter =
                RateLimiter.of("l", Limit.perSecond(100).burst(100_000), new SettableClock(-1).environment());
        long admitted = sumOf(() -> {
            long mine = 0;
            for (int i = 0; i < 50_000; i++) {
                mine += limiter.tryAcquireOrWaitNanos() == 0 ? 1 : 0;
            }
            return mine;
        });
        assertThat(admitted).isEqualTo(100_000);
    }

    @Test
    void in_the_time_of_the_machine_no_more_is_admitted_than_the_limit_says() throws Exception {
        // A burst between two permits of one thread would show, a slow machine does not matter.
        TokenBucketLimit limit = Limit.perSecond(3_000_000).burst(50);
        long begun = System.nanoTime();
        RateLimiter limiter = RateLimiter.of("l", limit);
        long admitted = sumOf(() -> {
            long mine = 0;
            for (int i = 0; i < 500_000; i++) {
                mine += limiter.tryAcquireOrWaitNanos() == 0 ? 1 : 0;
            }
            return mine;
        });
        BigInteger elapsed = BigInteger.valueOf(System.nanoTime() - begun);
        BigInteger allowed = elapsed.multiply(BigInteger.valueOf(limit.permits()))
                .divide(ExactBucket.nanos(limit))
                .add(BigInteger.valueOf(limit.burst()));
        assertThat(BigInteger.valueOf(admitted)).isPositive().isLessThanOrEqualTo(allowed);
    }

    @Test
    void calls_that_wait_give_up_and_change_the_limit_at_random_leave_nothing_behind() throws Exception {
        TokenBucketLimit limit = Limit.perSecond(400_000).burst(20);
        RateLimiter limiter = RateLimiter.of("l", limit);
        AtomicInteger seeds = new AtomicInteger();
        long begun = System.nanoTime();
        long admitted = sumOf(() -> {
            Random random = new Random(seeds.incrementAndGet());
            long mine = 0;
            for (int i = 0; i < 5_000; i++) {
                mine += waitSomehow(limiter, random);
            }
            return mine;
        });
        limiter.reconfigure(limit);
        BigInteger elapsed = BigInteger.valueOf(System.nanoTime() - begun);
        BigInteger allowed = elapsed.multiply(BigInteger.valueOf(limit.permits()))
                .divide(ExactBucket.nanos(limit))
                .add(BigInteger.valueOf(limit.burst()));
        assertThat(BigInteger.valueOf(admitted)).isPositive().isLessThanOrEqualTo(allowed);
        limiter.acquire(20, Deadline.FOREVER);
        assertThat(limiter.waiting()).isZero();
    }

    /** Returns how many permits it has for good. */
    private static long waitSomehow(RateLimiter limiter, Random random) throws InterruptedException {
        long permits = 1L + random.nextInt(5);
        Duration maxWait = Duration.ofNanos(random.nextInt(200_000));
        try {
            switch (random.nextInt(6)) {
                case 0 -> {
                    limiter.acquire(permits, maxWait);
                    return permits;
                }
                case 1 -> {
                    Thread.currentThread().interrupt();
                    Reservation reservation = limiter.reserve(permits, maxWait);
                    reservation.await();
                    return permits;
                }
                case 2 -> {
                    CompletableFuture<Void> future = limiter.acquireAsync(permits, maxWait);
                    return future.cancel(false) || future.isCompletedExceptionally() ? 0 : permits;
                }
                case 3 -> {
                    Reservation reservation = limiter.reserve(permits, maxWait);
                    if (random.nextBoolean()) {
                        return reservation.cancel() ? 0 : permits;
                    }
                    reservation.await();
                    return permits;
                }
                case 4 -> {
                    limiter.reconfigure(Limit.perSecond(random.nextBoolean() ? 400_000 : 300_000)
                            .burst(20));
                    return 0;
                }
                default -> {
                    return limiter.tryAcquire(permits) ? permits : 0;
                }
            }
        } catch (RateLimitedException refused) {
            Thread.interrupted();
            return 0;
        } catch (InterruptedException interrupt) {
            return 0;
        }
    }

    @Test
    void a_key_gets_exactly_its_burst_while_it_is_dropped_and_comes_back() throws Exception {
        SettableClock clock = new SettableClock(0);
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("l", Limit.perSecond(1_000_000_000).burst(2), clock.environment());
        AtomicInteger newKeys = new AtomicInteger(1);
        int rounds = 3_000;
        CyclicBarrier round = new CyclicBarrier(THREADS, () -> clock.set(clock.nanoTime() + 2));
        long admitted = sumOf(() -> {
            long mine = 0;
            for (int i = 0; i < rounds; i++) {
                round.await(); // the buckets of the round before are full again, and any new key may push them out
                limiter.tryAcquireOrWaitNanos(newKeys.getAndIncrement());
                mine += limiter.tryAcquireOrWaitNanos(0) == 0 ? 1 : 0;
                mine += limiter.tryAcquireOrWaitNanos(0) == 0 ? 1 : 0;
                limiter.tryAcquireOrWaitNanos(newKeys.getAndIncrement());
            }
            return mine;
        });
        assertThat(admitted).isEqualTo(2L * rounds);
    }

    @Test
    void a_flood_of_keys_from_all_sides_stays_within_the_bound() throws Exception {
        KeyedRateLimiter<Integer> limiter = KeyedRateLimiter.of(
                "l",
                config -> config.limit(Limit.perSecond(1).burst(2)).maxKeys(64),
                new SettableClock(0).environment());
        AtomicInteger newKeys = new AtomicInteger();
        long served = sumOf(() -> {
            long mine = 0;
            for (int i = 0; i < 20_000; i++) {
                mine += limiter.tryAcquireOrWaitNanos(newKeys.getAndIncrement()) == 0 ? 1 : 0;
                if (limiter.size() > 64) {
                    throw new AssertionError("keys: " + limiter.size());
                }
            }
            return mine;
        });
        assertThat(served).isEqualTo(THREADS * 20_000L);
        assertThat(limiter.size()).isEqualTo(64);
    }
}
