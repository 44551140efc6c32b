package dev.levee.ratelimit.shared;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.ratelimit.Limit;
import dev.levee.ratelimit.RateLimiter;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

class SharedThreadsTest {
    private final long begin = System.nanoTime();
    private final MemoryQuotaStore store = new MemoryQuotaStore(
            () -> (1L << 60) + System.nanoTime() - begin, Duration.ofMinutes(1).toNanos());

    /** Answers on other threads. */
    private final QuotaStore apart = new QuotaStore() {
        @Override
        public CompletableFuture<List<QuotaGrant>> take(QuotaBatch batch) {
            return CompletableFuture.supplyAsync(() -> store.take(batch).join());
        }

        @Override
        public void check(Limit limit) {
            store.check(limit);
        }

        @Override
        public long replayNanos() {
            return store.replayNanos();
        }
    };

    private final SharedLimits.Delivery patient = new SharedLimits.Delivery(Duration.ofMinutes(1), 256, 4);

    private long race(SharedMode mode, Limit limit, int calls) throws InterruptedException {
        List<RateLimiter> limiters = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            limiters.add(SharedLimits.of("r" + i, apart, patient, Environment.system())
                    .limiter("api", config -> config.limit(limit).mode(mode)));
        }
        LongAdder admitted = new LongAdder();
        CountDownLatch done = new CountDownLatch(12);
        for (int i = 0; i < 12; i++) {
            RateLimiter limiter = limiters.get(i % 3);
            boolean isAsync = i >= 9;
            new Thread(() -> {
                        for (int call = 0; call < calls; call++) {
                            if (isAsync) {
                                limiter.acquireAsync(1, Duration.ZERO)
                                        .thenRun(admitted::increment)
                                        .exceptionally(refused -> null)
                                        .join();
                            } else if (limiter.tryAcquire()) {
                                admitted.increment();
                            }
                        }
                        done.countDown();
                    })
                    .start();
        }
        done.await();
        assertThat(limiters).allMatch(limiter -> limiter.waiting() == 0);
        return admitted.sum();
    }

    @Test
    void exactly_the_permits_are_given_to_threads_of_several_nodes() throws InterruptedException {
        assertThat(race(SharedMode.EXACT, Limit.of(2_000, Duration.ofDays(1_000)), 1_000))
                .isEqualTo(2_000);
    }

    @Test
    void no_more_than_the_permits_are_given_by_leases() throws InterruptedException {
        Limit limit = Limit.of(1_000_000, Duration.ofSeconds(100));
        long start = System.nanoTime();
        long admitted = race(SharedMode.LEASED, limit, 20_000);
        double most = 1_000_000 + (System.nanoTime() - start) / 100_000.0;

        assertThat((double) admitted).isLessThanOrEqualTo(most);
        assertThat(admitted).isPositive();
    }

    @Test
    void local_decisions_allocate_nothing() {
        MemoryQuotaStore quiet =
                new MemoryQuotaStore(() -> 1L << 60, Duration.ofMinutes(1).toNanos());
        RateLimiter limiter = SharedLimits.of("quiet", quiet)
                .limiter(
                        "api",
                        config -> config.limit(Limit.of(1_000_000_000, Duration.ofHours(100)))
                                .mode(SharedMode.RELAXED)
                                .ahead(100_000_000)
                                .period(Duration.ofHours(1)));
        RateLimiter refusing = SharedLimits.of("quiet", quiet).limiter("few", Limit.of(5, Duration.ofHours(100)));
        for (int i = 0; i < 20_000; i++) {
            limiter.tryAcquire();
            limiter.tryEnter(0);
            refusing.tryAcquire();
        }
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < 10; round++) {
            long before = threads.getThreadAllocatedBytes(thread);
            for (int i = 0; i < 1_000; i++) {
                limiter.tryAcquire();
                limiter.tryEnter(0);
                refusing.tryAcquire();
            }
            least = Math.min(least, threads.getThreadAllocatedBytes(thread) - before);
        }
        assertThat(least).isLessThan(1_000);
    }
}
