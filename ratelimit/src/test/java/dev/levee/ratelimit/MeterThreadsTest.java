package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Gate;
import java.math.BigInteger;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Real threads: every algorithm's history keeps within its bound, and at one moment exactly its capacity is given. */
class MeterThreadsTest {
    private static final int THREADS = 4;

    private final ExecutorService executor = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void stop() {
        executor.shutdownNow();
    }

    static List<Limit> limits() {
        return List.of(
                Limit.perSecond(100_000).burst(50),
                Limit.slidingWindow(50, Duration.ofNanos(20_011)),
                Limit.slidingLog(50, Duration.ofNanos(20_011)),
                Limit.fixedWindow(50, Duration.ofNanos(20_011)),
                Limit.paced(50, Duration.ofNanos(20_011)),
                Limit.warmUp(50, Duration.ofNanos(20_011), Duration.ofNanos(100_000)));
    }

    private interface Work {
        void run(int thread, AdmissionHistory history) throws Exception;
    }

    private AdmissionHistory history(Limit limit, Work work) throws Exception {
        List<Future<AdmissionHistory>> futures = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int thread = i;
            futures.add(executor.submit(() -> {
                AdmissionHistory mine = AdmissionHistory.of(limit);
                work.run(thread, mine);
                return mine;
            }));
        }
        AdmissionHistory all = AdmissionHistory.of(limit);
        for (Future<AdmissionHistory> future : futures) {
            all.addAll(future.get());
        }
        return all;
    }

    /** Threads share a clock that each reading moves, and hand in what they have read, so some come late. */
    @ParameterizedTest
    @MethodSource("limits")
    void the_history_of_threads_that_share_a_clock_keeps_within_the_bound(Limit limit) throws Exception {
        AtomicLong clock = new AtomicLong();
        RateLimiter limiter = RateLimiter.of("l", limit, new SettableClock(0).environment());
        AdmissionHistory history = history(limit, (thread, mine) -> {
            for (int call = 0; call < 20_000; call++) {
                long now = clock.addAndGet(7);
                if (limiter.tryEnter(now) != Gate.REFUSED) {
                    // A window that another thread has begun, or a reading it has seen, is not before this one's.
                    mine.admitted(BigInteger.valueOf(now), 1);
                }
            }
        });
        assertThat(history.sum().longValueExact()).isGreaterThan(50);
        slackOfThreads(limit, history).check();
    }

    /** By readings a call may be late by the few that others have taken meanwhile; it counts as of a later one. */
    private static AdmissionHistory slackOfThreads(Limit limit, AdmissionHistory history) {
        if (limit instanceof SlidingWindowLimit || limit instanceof SlidingLogLimit) {
            AdmissionHistory wider = new AdmissionHistory(
                    BigInteger.valueOf(2 * limit.capacity()),
                    limit.permits(),
                    BigInteger.valueOf(limit.per().toNanos()));
            wider.addAll(history);
            return wider;
        }
        return history;
    }

    @ParameterizedTest
    @MethodSource("limits")
    void at_one_moment_exactly_the_capacity_is_given(Limit limit) throws Exception {
        if (limit instanceof PacedLimit || limit instanceof WarmUpLimit) {
            return; // theirs is one call
        }
        RateLimiter limiter = RateLimiter.of("l", limit, new SettableClock(Long.MIN_VALUE).environment());
        AdmissionHistory history = history(limit, (thread, mine) -> {
            for (int call = 0; call < 1_000; call++) {
                if (limiter.tryAcquire()) {
                    mine.admitted(0, 1);
                }
            }
        });
        assertThat(history.sum()).isEqualTo(BigInteger.valueOf(limit.capacity()));
    }

    @Test
    void a_period_of_the_calendar_gives_its_permits_once_while_threads_swing_about_its_end() throws Exception {
        long day = Duration.ofDays(1).toMillis();
        AtomicLong calls = new AtomicLong();
        CalendarMeter meter = new CalendarMeter(
                Limit.calendar(1_000, ChronoUnit.DAYS, ZoneOffset.UTC), now -> day - 1 + calls.get() % 2, 0);
        AdmissionHistory history = history(Limit.perSecond(1), (thread, mine) -> {
            for (int call = 0; call < 10_000; call++) {
                calls.incrementAndGet();
                if (meter.take(0, 1) == 0) {
                    mine.admitted(0, 1);
                }
            }
        });
        assertThat(history.sum().longValueExact()).isBetween(1_000L, 2_000L);
        assertThat(meter.available(0)).isZero();
    }

    /** What was taken before a change counts after it: of 1,000 in all, whatever the limits were between. */
    @Test
    void changes_of_the_limit_neither_lose_nor_mint_permits() throws Exception {
        for (int round = 0; round < 50; round++) {
            SingleLimiter limiter = new SingleLimiter(
                    "l",
                    RateLimiterConfig.builder()
                            .limit(Limit.fixedWindow(1_000, Duration.ofDays(1)))
                            .build(),
                    new SettableClock(7).environment());
            List<Limit> kinds = List.of(
                    Limit.slidingWindow(1_000, Duration.ofDays(1)),
                    Limit.slidingLog(1_000, Duration.ofDays(1)),
                    Limit.of(1_000, Duration.ofDays(1)),
                    Limit.of(1_000, Duration.ofDays(3)),
                    Limit.fixedWindow(1_000, Duration.ofDays(2)));
            AtomicBoolean done = new AtomicBoolean();
            AdmissionHistory history = history(Limit.perSecond(1), (thread, mine) -> {
                if (thread == 0) {
                    for (int change = 0; change < 100 || !done.get(); change++) {
                        limiter.replace(7, kinds.get(change % kinds.size()), CarriedFill.SAME_USED);
                    }
                } else {
                    for (int call = 0; call < 2_000; call++) {
                        if (limiter.take(7, 1) == 0) {
                            mine.admitted(0, 1);
                        }
                    }
                    done.set(true);
                }
            });
            assertThat(history.sum()).isEqualTo(BigInteger.valueOf(1_000));
        }
    }

    @Test
    void three_limits_at_once_never_exceed_any_of_them_and_leave_nothing_spent() throws Exception {
        SettableClock clock = new SettableClock(0);
        RateLimiter a = RateLimiter.of("a", Limit.perSecond(1).burst(3_000), clock.environment());
        RateLimiter b = RateLimiter.of("b", Limit.slidingWindow(2_000, Duration.ofDays(1)), clock.environment());
        RateLimiter c = RateLimiter.of("c", Limit.fixedWindow(1_000, Duration.ofDays(1)), clock.environment());
        List<RateLimiter> combinations = List.of(
                RateLimiter.allOf("abc", a, b, c),
                RateLimiter.allOf("cba", c, b, a),
                RateLimiter.allOf("bca", b, c, a),
                RateLimiter.allOf("cab", c, a, b));
        AdmissionHistory history = history(Limit.perSecond(1), (thread, mine) -> {
            for (int call = 0; call < 5_000; call++) {
                if (combinations.get(thread).tryAcquire()) {
                    mine.admitted(0, 1);
                }
            }
        });
        assertThat(history.sum()).isEqualTo(BigInteger.valueOf(1_000));
        assertThat(List.of(a.availablePermits(), b.availablePermits(), c.availablePermits()))
                .containsExactly(2_000L, 1_000L, 0L);
    }

    /** The checker finds a counter that looks first and writes later. */
    @Test
    void a_counter_that_looks_first_and_writes_later_is_caught() throws Exception {
        FixedWindowLimit limit = Limit.fixedWindow(50, Duration.ofDays(1));
        AtomicLong hasty = new AtomicLong();
        CyclicBarrier allHaveLooked = new CyclicBarrier(THREADS);
        CyclicBarrier allHaveWritten = new CyclicBarrier(THREADS);
        AdmissionHistory history = history(limit, (thread, mine) -> {
            for (int call = 0; call < 60; call++) {
                long seen = hasty.get();
                allHaveLooked.await();
                if (seen < 50) {
                    hasty.set(seen + 1);
                    mine.admitted(0, 1);
                }
                allHaveWritten.await();
            }
        });
        assertThatThrownBy(history::check).isInstanceOf(AssertionError.class);
    }
}
