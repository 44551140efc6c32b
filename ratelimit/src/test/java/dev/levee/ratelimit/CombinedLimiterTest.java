package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several limits on one call. */
class CombinedLimiterTest {
    private final ManualTime time = new ManualTime();
    private final RateLimiter fast =
            RateLimiter.of("per second", Limit.perSecond(10).burst(3), time.environment());
    private final RateLimiter slow =
            RateLimiter.of("per hour", Limit.fixedWindow(5, Duration.ofHours(1)), time.environment());
    private final RateLimiter both = RateLimiter.allOf("plan", fast, slow);

    private List<Long> available() {
        return List.of(fast.availablePermits(), slow.availablePermits());
    }

    @Test
    void permits_are_taken_of_each() {
        assertThat(both.tryAcquire(2)).isTrue();
        assertThat(available()).containsExactly(1L, 3L);
        assertThat(both.availablePermits()).isEqualTo(1);
    }

    @Test
    void a_refusal_leaves_no_part_spent_and_tells_the_longest_wait() {
        assertThat(both.tryAcquire(3)).isTrue();
        assertThat(both.tryAcquireOrWaitNanos(3)).isEqualTo(Duration.ofHours(1).toNanos());
        assertThat(both.tryAcquireOrWaitNanos(2)).isEqualTo(200_000_000);
        assertThat(available()).containsExactly(0L, 2L);
        time.advance(Duration.ofMillis(200));
        assertThat(both.tryAcquire(2)).isTrue();
    }

    @Test
    void a_refusal_says_which_limit_it_was() {
        both.tryAcquire(3);
        assertThat(both.refusal().policy()).isEqualTo("per second");
        assertThat(both.refusal().retryAfterNanos()).isEqualTo(100_000_000);
        time.advance(Duration.ofSeconds(1));
        both.tryAcquire(2);
        assertThat(both.refusal().policy()).isEqualTo("per hour");
        assertThatThrownBy(() -> both.run(() -> {}))
                .isInstanceOf(RateLimitedException.class)
                .hasMessageContaining("limiter \"per hour\" has no permit");
        assertThat(both.limit()).isEqualTo(slow.limit());
    }

    @Test
    void more_than_one_of_them_holds_is_never_there() {
        assertThat(both.tryAcquireOrWaitNanos(4)).isEqualTo(RateLimiter.NEVER);
        assertThat(available()).containsExactly(3L, 5L);
        assertThatThrownBy(() -> both.tryAcquire(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> both.tryAcquire(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void what_was_not_sent_comes_back_to_each() {
        long stamp = both.tryEnter(time.nanoTime());
        assertThat(stamp).isNotEqualTo(Gate.REFUSED);
        assertThat(available()).containsExactly(2L, 4L);
        both.cancel(stamp, 0);
        assertThat(available()).containsExactly(3L, 5L);
    }

    @Test
    void a_hierarchy_shares_its_upper_limits() {
        RateLimiter all = RateLimiter.of("all", Limit.perSecond(4), time.environment());
        RateLimiter one =
                RateLimiter.allOf("one", RateLimiter.of("tenant 1", Limit.perSecond(3), time.environment()), all);
        RateLimiter two =
                RateLimiter.allOf("two", RateLimiter.of("tenant 2", Limit.perSecond(3), time.environment()), all);
        RateLimiter user =
                RateLimiter.allOf("user", RateLimiter.of("user 1", Limit.perSecond(2), time.environment()), two);
        assertThat(one.tryAcquire(3)).isTrue();
        assertThat(user.tryAcquire(2)).isFalse();
        assertThat(user.refusal().policy()).isEqualTo("all");
        assertThat(user.tryAcquire()).isTrue();
        assertThat(all.availablePermits()).isZero();
        assertThat(user.tryAcquire()).isFalse();
        assertThat(user.refusal().policy()).isEqualTo("all");
    }

    @Test
    void a_forecast_finds_the_first_moment_at_which_all_have_room() {
        both.tryAcquire(3);
        Forecast forecast = ((AbstractLimiter) both).forecast(time.nanoTime());
        assertThat(forecast.earliest(time.nanoTime(), 1)).isEqualTo(100_000_000);
        forecast.take(time.nanoTime() + 100_000_000, 1);
        forecast.take(time.nanoTime() + 200_000_000, 1);
        assertThat(forecast.earliest(time.nanoTime() + 200_000_000, 1))
                .isEqualTo(Duration.ofHours(1).toNanos() - 200_000_000);
        assertThat(available()).containsExactly(0L, 2L);
    }

    @Test
    void permits_that_come_back_to_a_limiter_serve_those_that_wait_for_it_alone() {
        assertThat(both.tryAcquire(3)).isTrue();
        Reservation unused = both.reserve(2, Duration.ofSeconds(1));
        time.advance(Duration.ofMillis(200));
        assertThat(unused.isReady()).isTrue();
        CompletableFuture<?> alone = slow.acquireAsync(1, Duration.ofHours(1));
        CompletableFuture<?> next = slow.acquireAsync(2, Duration.ofHours(1));
        both.settle(-1);
        time.runReady();
        assertThat(alone).isDone();
        assertThat(next).isNotDone();
        assertThat(unused.cancel()).isTrue();
        time.runReady();
        assertThat(next).isDone();
    }

    @Test
    void a_call_behind_those_that_wait_is_told_of_their_time_too() {
        slow.reconfigure(Limit.fixedWindow(50, Duration.ofHours(1)));
        both.tryAcquire(3);
        both.acquireAsync(2, Duration.ofSeconds(1));
        time.advance(Duration.ofMillis(100));
        assertThat(fast.availablePermits()).isEqualTo(1);

        assertThat(both.tryAcquireOrWaitNanos()).isEqualTo(200_000_000);
        assertThat(both.refusal().retryAfterNanos()).isEqualTo(200_000_000);
        assertThat(both.refusal().policy()).isEqualTo("per second");
        RateDecision decision = both.decide(1);
        assertThat(decision.retryAfterNanos()).isEqualTo(200_000_000);
        assertThat(decision.limiter()).isEqualTo("per second");
        assertThat(decision.remaining()).isZero();
        assertThatThrownBy(() -> both.run(() -> {}))
                .isInstanceOfSatisfying(
                        RateLimitedException.class,
                        refusal -> assertThat(refusal.retryAfterNanos()).isEqualTo(200_000_000));
    }

    @Test
    void permits_that_come_back_to_one_of_its_limiters_serve_those_that_wait_for_all() {
        both.tryAcquire(3);
        slow.tryAcquire(2);
        CompletableFuture<?> first = both.acquireAsync(1, Duration.ofHours(2));
        CompletableFuture<?> second = both.acquireAsync(1, Duration.ofHours(2));
        time.advance(Duration.ofSeconds(1));
        slow.settle(-1);
        time.runReady();
        assertThat(first).isDone();
        assertThat(second).isNotDone();
        long stamp = fast.tryEnter(time.nanoTime());
        fast.cancel(stamp, time.nanoTime());
        assertThat(second).as("the hour has none").isNotDone();
        Reservation unused = RateLimiter.allOf("beside", slow).reserve(1, Duration.ofHours(3));
        slow.reconfigure(Limit.fixedWindow(6, Duration.ofHours(1)));
        time.runReady();
        assertThat(List.of(second.isDone(), unused.isReady())).containsExactlyInAnyOrder(true, false);
    }

    @Test
    void those_that_wait_for_all_and_cannot_be_served_in_time_any_more_are_refused_at_once() {
        both.tryAcquire(3);
        CompletableFuture<?> first = both.acquireAsync(1, Duration.ofSeconds(1));
        CompletableFuture<?> second = both.acquireAsync(1, Duration.ofSeconds(1));
        CompletableFuture<?> third = both.acquireAsync(2, Duration.ofHours(2));
        fast.reconfigure(Limit.of(1, Duration.ofSeconds(1)));
        time.runReady();
        assertThat(first).isNotDone();
        assertThat(second).isCompletedExceptionally();
        assertThat(third).as("more than it holds now").isCompletedExceptionally();
        slow.settle(2);
        time.runReady();
        assertThat(first).isCompletedExceptionally();
        assertThat(both.waiting()).isZero();
    }

    /** The last permit of the second limiter is taken while the call holds one of the first. */
    @Test
    void those_that_were_refused_for_what_another_call_held_for_a_moment_do_not_wait_for_it() {
        AtomicReference<Runnable> between = new AtomicReference<>(() -> {});
        AtomicInteger readings = new AtomicInteger();
        Environment environment = time.environment().toBuilder()
                .wallClock(() -> {
                    if (readings.incrementAndGet() == 2) { // the first asks, the second takes
                        between.get().run();
                    }
                    return Instant.ofEpochMilli(0);
                })
                .build();
        RateLimiter first = RateLimiter.of("first", Limit.of(1, Duration.ofHours(1)), environment);
        RateLimiter last = RateLimiter.of("last", Limit.calendar(1, ChronoUnit.DAYS, ZoneOffset.UTC), environment);
        List<CompletableFuture<?>> waiting = new ArrayList<>();
        between.set(() -> {
            waiting.add(first.acquireAsync(1, Duration.ofHours(2)));
            last.settle(1);
        });
        RateLimiter all = RateLimiter.allOf("all", first, last);
        readings.set(0);
        assertThat(all.tryAcquire()).isFalse();
        time.runReady();
        assertThat(waiting).singleElement().satisfies(it -> assertThat(it).isDone());
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void more_than_a_limit_held_before_it_was_replaced_are_planned_anew() {
        for (Limit first : List.of(
                Limit.slidingWindow(1, Duration.ofSeconds(1)),
                Limit.slidingLog(1, Duration.ofSeconds(1)),
                Limit.fixedWindow(1, Duration.ofSeconds(1)),
                Limit.of(1, Duration.ofSeconds(1)))) {
            RateLimiter changed = RateLimiter.of("changed", first, time.environment());
            RateLimiter drained =
                    RateLimiter.of("drained", Limit.fixedWindow(5, Duration.ofSeconds(1)), time.environment());
            RateLimiter all = RateLimiter.allOf("all", changed, drained);
            drained.tryAcquire(5);
            assertThat(all.acquireAsync(1, Duration.ofHours(1))).isNotDone();
            changed.reconfigure(Limit.fixedWindow(5, Duration.ofSeconds(1)));
            assertThat(all.tryAcquireOrWaitNanos(3)).isEqualTo(1_000_000_000);
            time.advance(Duration.ofSeconds(1));
            assertThat(all.waiting()).isZero();
        }
    }

    @Test
    void what_cannot_be_combined_is_named() {
        RateLimiter elsewhere = RateLimiter.of("elsewhere", Limit.perSecond(1), new ManualTime().environment());
        assertThatThrownBy(() -> RateLimiter.allOf("plan"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("limiter \"plan\": limiters must be at least 1, but was 0");
        assertThatThrownBy(() -> RateLimiter.allOf("plan", fast, elsewhere))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limiters must have one clock, but limiter \"elsewhere\"");
        assertThatThrownBy(() -> RateLimiter.allOf("plan", fast, fast))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limiters must differ");
        assertThatThrownBy(() -> RateLimiter.allOf("more", both, fast))
                .as("alone and in a combination")
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limiter \"more\": limiters must differ");
        assertThatThrownBy(() -> Permits.of(both, 1).and(fast, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> both.reconfigure(Limit.perSecond(1), CarriedFill.RESET))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limiter \"plan\" has the limits of others");
        assertThatThrownBy(() -> RateLimiter.allOf(" ", fast)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> RateLimiter.allOf("plan", fast, null)).isInstanceOf(NullPointerException.class);
        assertThat(both)
                .hasToString("limiter \"plan\" (limiter \"per second\" [10 per 1s, burst 3] and"
                        + " limiter \"per hour\" [5 per 1h, fixed window])");
    }

    /** One after the other: admitted exactly when each of the limits would admit, and then counted in each. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void it_admits_when_each_limit_would_and_a_wait_is_the_longest(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        SettableClock clock = new SettableClock(draw.origin());
        List<Limit> limits = List.of(draw.sliding(), draw.fixed(), draw.log(), draw.paced());
        List<AbstractLimiter> parts = new ArrayList<>();
        List<Meter> models = new ArrayList<>();
        for (Limit limit : limits) {
            parts.add((AbstractLimiter) RateLimiter.of("l", limit, clock.environment()));
            models.add(MeterHistory.meter(limit, clock.nanoTime()));
        }
        RateLimiter all = RateLimiter.allOf("all", parts);
        for (int call = 0; call < 60; call++) {
            long now = clock.nanoTime();
            long permits = draw.permits(limits.get(draw.random().nextInt(limits.size())));
            long expected = 0;
            for (int i = 0; i < limits.size(); i++) {
                boolean isNever = permits > limits.get(i).capacity();
                expected =
                        Math.max(expected, isNever ? Meter.NEVER : models.get(i).waitNanos(now, permits));
            }
            assertThat(all.tryAcquireOrWaitNanos(permits)).isEqualTo(expected);
            for (Meter model : models) {
                assertThat(expected == 0 ? model.take(now, permits) : 0).isZero();
            }
            assertThat(parts.stream().mapToLong(RateLimiter::availablePermits))
                    .containsExactlyElementsOf(
                            models.stream().map(model -> model.available(now)).toList());
            clock.set(now + draw.step(limits.get(draw.random().nextInt(limits.size()))));
        }
    }

    /** Fresh limiters for each round: buckets for which threads have contended are taken another way. */
    @Test
    @Timeout(60)
    void threads_that_meet_at_it_lose_no_permit_and_make_none() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 500; round++) {
                RateLimiter a = RateLimiter.of("a", Limit.perSecond(1).burst(40), time.environment());
                RateLimiter b = RateLimiter.of("b", Limit.perSecond(1).burst(30), time.environment());
                RateLimiter c = RateLimiter.of("c", Limit.perSecond(1).burst(20), time.environment());
                CyclicBarrier start = new CyclicBarrier(2);
                Future<Integer> three = threads.submit(() -> admitted(RateLimiter.allOf("abc", a, b, c), start));
                Future<Integer> two = threads.submit(() -> admitted(RateLimiter.allOf("cb", c, b), start));
                int ofThree = three.get();
                int ofTwo = two.get();
                assertThat(a.availablePermits()).isEqualTo(40 - ofThree);
                assertThat(b.availablePermits()).isEqualTo(30 - ofThree - ofTwo);
                assertThat(c.availablePermits()).isEqualTo(20 - ofThree - ofTwo);
                assertThat(ofThree + ofTwo).isLessThanOrEqualTo(20);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static int admitted(RateLimiter limiter, CyclicBarrier start) throws Exception {
        start.await();
        int admitted = 0;
        for (int i = 0; i < 25; i++) {
            admitted += limiter.tryAcquire() ? 1 : 0;
        }
        return admitted;
    }
}
