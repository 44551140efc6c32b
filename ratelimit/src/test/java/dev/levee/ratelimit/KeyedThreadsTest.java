package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Readings;
import dev.levee.core.testing.LongForm;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Real threads on a table of keys, random calls, and sums that must come out. */
class KeyedThreadsTest {
    private static final int THREADS = 4;

    private final SettableClock clock = new SettableClock(Long.MAX_VALUE - 1_000);
    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    private interface Work {
        void run(SplittableRandom random, int thread) throws Exception;
    }

    private void onAllThreads(SplittableRandom seeds, Work work) throws Exception {
        List<Future<?>> futures = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            int number = thread;
            SplittableRandom random = seeds.split();
            futures.add(executor.submit(() -> {
                work.run(random, number);
                return null;
            }));
        }
        for (Future<?> future : futures) {
            future.get();
        }
    }

    /** Between the rounds the clock outgrows the base, and all buckets fill. */
    @Test
    void each_key_gets_exactly_its_burst_while_the_table_grows_and_drops_and_moves() throws Exception {
        TokenBucketLimit limit = Limit.perSecond(999_983).burst(3);
        KeyedRateLimiter<Integer> limiter =
                KeyedRateLimiter.of("l", c -> c.limit(limit).maxKeys(40_000), clock.environment());
        SplittableRandom seeds = new SplittableRandom(11);
        for (int round = 0; round < LongForm.iterations(20); round++) {
            int keys = 1 << (round % 15);
            AtomicIntegerArray asked = new AtomicIntegerArray(keys);
            AtomicIntegerArray admitted = new AtomicIntegerArray(keys);
            int ofRound = round;
            onAllThreads(seeds, (random, thread) -> {
                for (int call = 0; call < 10_000; call++) {
                    int key = random.nextInt(keys);
                    asked.incrementAndGet(key);
                    if (limiter.tryAcquire(key)) {
                        admitted.incrementAndGet(key);
                    }
                    if (call % 16 == 0) {
                        limiter.tryAcquire(-1 - (ofRound * THREADS + thread) * 10_000 - call);
                    }
                }
            });
            for (int key = 0; key < keys; key++) {
                assertThat(admitted.get(key)).isEqualTo(Math.min(3, asked.get(key)));
                assertThat(limiter.availablePermits(key)).isEqualTo(3 - admitted.get(key));
            }
            clock.set(clock.nanoTime() + (1L << 41));
        }
        assertThat(Readings.of(limiter, "limiter.keys.forgiven")).isZero();
    }

    @Test
    void what_is_forgiven_is_all_that_is_admitted_beyond_the_limits() throws Exception {
        SplittableRandom seeds = new SplittableRandom(12);
        for (int round = 0; round < LongForm.iterations(50); round++) {
            int keys = 2 + round % 12;
            int room = 1 + round % 7;
            KeyedRateLimiter<Integer> limiter = KeyedRateLimiter.of(
                    "l", c -> c.limit(Limit.of(1, Duration.ofDays(1)).burst(3)).maxKeys(room), clock.environment());
            AtomicIntegerArray admitted = new AtomicIntegerArray(1);
            onAllThreads(seeds, (random, thread) -> {
                for (int call = 0; call < 2_000; call++) {
                    if (limiter.tryAcquire(random.nextInt(keys))) {
                        admitted.incrementAndGet(0);
                    }
                    if (limiter.size() > room) {
                        throw new AssertionError("keys: " + limiter.size());
                    }
                }
            });
            long held = 0;
            for (int key = 0; key < keys; key++) {
                held += 3 - limiter.availablePermits(key);
            }
            double forgiven = Readings.of(limiter, "limiter.keys.forgiven");
            assertThat(admitted.get(0)).isBetween((int) (held + forgiven), (int) (held + 3 * forgiven));
        }
    }

    @Test
    void a_limit_that_changes_meanwhile_admits_no_more_than_the_larger_one() throws Exception {
        SplittableRandom seeds = new SplittableRandom(13);
        TokenBucketLimit[] limits = {
            Limit.of(1, Duration.ofDays(1)).burst(90),
            Limit.of(5, Duration.ofDays(3)).burst(90)
        };
        for (int round = 0; round < LongForm.iterations(50); round++) {
            AtomicBoolean second = new AtomicBoolean();
            KeyedRateLimiter<Integer> limiter =
                    KeyedRateLimiter.of("l", c -> c.limits(key -> limits[second.get() ? 1 : 0]), clock.environment());
            AtomicIntegerArray admitted = new AtomicIntegerArray(1);
            onAllThreads(seeds, (random, thread) -> {
                for (int call = 0; call < 200; call++) {
                    if (random.nextInt(20) == 0) {
                        second.set(random.nextBoolean());
                    }
                    if (limiter.tryAcquire(1)) {
                        admitted.incrementAndGet(0);
                    }
                }
            });
            assertThat(admitted.get(0)).isBetween(85, 90);
        }
    }
}
