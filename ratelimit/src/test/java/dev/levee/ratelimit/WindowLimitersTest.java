package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.levee.core.Gate;
import dev.levee.core.testing.ManualTime;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Limits by windows behind {@link RateLimiter}: fixed, log, calendar and sliding. */
class WindowLimitersTest {
    private static final int CALLS = 50_000;
    private static final long SLACK = 8_192;

    private final ManualTime time = new ManualTime();

    static List<Limit> limits() {
        return List.of(
                Limit.slidingWindow(4, Duration.ofMinutes(1)),
                Limit.slidingLog(4, Duration.ofMinutes(1)),
                Limit.fixedWindow(4, Duration.ofMinutes(1)),
                Limit.calendar(4, ChronoUnit.MINUTES, ZoneOffset.UTC));
    }

    static List<Limit> wide() {
        return List.of(
                Limit.slidingWindow(1L << 40, Duration.ofHours(1)),
                Limit.fixedWindow(1L << 40, Duration.ofHours(1)),
                Limit.calendar(1L << 40, ChronoUnit.MONTHS, ZoneOffset.UTC));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_limiter_of_each_admits_its_permits_and_tells_when_more_come(Limit limit) {
        RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
        assertThat(limiter.tryAcquire(5)).isFalse();
        assertThat(limiter.tryAcquireOrWaitNanos(5)).isEqualTo(RateLimiter.NEVER);
        assertThatThrownBy(() -> limiter.tryAcquire(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> limiter.tryAcquire(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThat(limiter.availablePermits()).isEqualTo(4);
        assertThat(limiter.tryAcquire(3)).isTrue();
        assertThat(limiter.tryAcquire()).isTrue();
        assertThat(limiter.tryAcquire()).isFalse();
        time.advance(Duration.ofNanos(limiter.tryAcquireOrWaitNanos()));
        assertThat(limiter.tryAcquire()).isTrue();
        assertThat(limiter).hasToString("limiter \"l\" [" + limit + "]");
        assertThat(limiter.limit()).isEqualTo(limit);
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_call_that_was_not_sent_gives_its_permit_back(Limit limit) {
        RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
        long stamp = limiter.tryEnter(time.nanoTime());
        time.advance(Duration.ofSeconds(59));
        limiter.cancel(stamp, 0);
        assertThat(limiter.availablePermits()).isEqualTo(4);
    }

    @ParameterizedTest
    @MethodSource("limits")
    void what_was_given_back_does_not_make_the_reset_later(Limit limit) {
        RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
        assertThat(limiter.tryAcquire(3)).isTrue();
        time.advance(Duration.ofSeconds(10));
        long reset = limiter.decide(4).resetNanos();
        assertThat(limiter.reserve(1, Duration.ZERO).cancel()).isTrue();
        assertThat(limiter.decide(4).resetNanos()).isEqualTo(reset);
    }

    @ParameterizedTest
    @MethodSource("limits")
    void calls_wait_for_their_permits_in_turn(Limit limit) throws Exception {
        ManualTime moving = new ManualTime().autoAdvance();
        RateLimiter limiter = RateLimiter.of("l", limit, moving.environment());
        for (int call = 0; call < 12; call++) {
            limiter.acquire(1, Duration.ofHours(1));
        }
        assertThat(moving.elapsed()).isBetween(Duration.ofMinutes(2), Duration.ofMinutes(4));
        assertThatThrownBy(() -> limiter.acquire(1, Duration.ofNanos(1))).isInstanceOf(RateLimitedException.class);
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_limit_is_changed_for_one_of_another_kind(Limit limit) {
        for (Limit next : limits()) {
            RateLimiter limiter = RateLimiter.of("l", limit, time.environment());
            limiter.tryAcquire(1);
            limiter.reconfigure(next, CarriedFill.SAME_USED);
            assertThat(limiter.availablePermits()).isEqualTo(3);
            assertThat(limiter.limit()).isEqualTo(next);
            limiter.reconfigure(Limit.slidingWindow(9, Duration.ofHours(1)), CarriedFill.IN_PROPORTION);
            assertThat(limiter.availablePermits()).isEqualTo(6);
            limiter.reconfigure(next, CarriedFill.RESET);
            assertThat(limiter.availablePermits()).isEqualTo(4);
        }
    }

    @Test
    void a_permit_of_before_a_change_is_not_given_back_after_it() {
        RateLimiter limiter = RateLimiter.of("l", limits().get(2), time.environment());
        long stamp = limiter.tryEnter(time.nanoTime());
        assertThat(stamp).isNotEqualTo(Gate.REFUSED);
        limiter.reconfigure(limits().get(0), CarriedFill.RESET);
        limiter.tryAcquire(4);
        limiter.cancel(stamp, 0);
        assertThat(limiter.availablePermits()).isZero();
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_question_about_a_later_turn_makes_no_turn_earlier(Limit limit) {
        RateLimiter alone = RateLimiter.of("l", limit, time.environment());
        RateLimiter part = RateLimiter.of("m", limit, time.environment());
        RateLimiter other = RateLimiter.of("n", Limit.of(4, Duration.ofSeconds(50)), time.environment());
        List<RateLimiter> limiters = List.of(alone, RateLimiter.allOf("both", part, other));
        for (RateLimiter limiter : limiters) {
            limiter.tryAcquire(4);
            Reservation first = limiter.reserve(4, Duration.ofHours(1));
            long wait = limiter.tryAcquireOrWaitNanos(4);
            assertThat(wait).isGreaterThan(first.waitNanos());
            assertThat(limiter.tryAcquireOrWaitNanos(4)).isEqualTo(wait);
            assertThatThrownBy(() -> limiter.reserve(1, Duration.ZERO)).isInstanceOf(RateLimitedException.class);
            Reservation second = limiter.reserve(4, Duration.ofNanos(wait));
            assertThat(second.waitNanos()).isEqualTo(wait);
            time.advance(Duration.ofNanos(first.waitNanos()));
            assertThat(first.isReady()).isTrue();
            assertThat(second.isReady()).isFalse();
            time.advance(Duration.ofNanos(second.waitNanos()));
            assertThat(second.isReady()).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("limits")
    void fewer_permits_at_first_and_a_bound_of_debt(Limit limit) {
        RateLimiter limiter = RateLimiter.of(
                "l", config -> config.limit(limit).initialPermits(1).maxDebt(2), time.environment());
        assertThat(limiter.availablePermits()).isEqualTo(1);
        limiter.settle(100); // 4 and 2 are used, the rest is forgiven
        time.advance(Duration.ofMinutes(1));
        if (!(limit instanceof SlidingWindowLimit)) { // which looks back at the window before
            assertThat(limiter.availablePermits()).isEqualTo(2);
        }
        time.advance(Duration.ofMinutes(2));
        assertThat(limiter.availablePermits()).isEqualTo(4);
    }

    private long allocatedBy(Runnable call) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
            call.run();
        }
        return threads.getCurrentThreadAllocatedBytes() - before;
    }

    @ParameterizedTest
    @MethodSource("wide")
    void an_admission_allocates_nothing(Limit limit) {
        RateLimiter limiter = RateLimiter.of("l", limit);
        assertThat(allocatedBy(() -> {
                    if (limiter.tryAcquireOrWaitNanos() != 0) {
                        throw new AssertionError("refused");
                    }
                }))
                .isLessThan(SLACK);
    }

    @ParameterizedTest
    @MethodSource("limits")
    void a_refusal_allocates_nothing(Limit limit) {
        // In time that stands still, so that no window turns.
        RateLimiter limiter = RateLimiter.of("l", limit, new SettableClock(0).environment());
        limiter.tryAcquire(4);
        assertThat(allocatedBy(() -> {
                    if (!(limit instanceof CalendarLimit) && limiter.tryAcquireOrWaitNanos() == 0) {
                        throw new AssertionError("admitted");
                    }
                }))
                .isLessThan(SLACK);
    }

    @Test
    void three_limits_at_once_allocate_nothing() {
        RateLimiter wide = RateLimiter.allOf(
                "wide",
                RateLimiter.of("a", Limit.perSecond(1_000_000_000)),
                RateLimiter.of("b", Limit.perSecond(1_000_000_000)),
                RateLimiter.of("c", Limit.perSecond(1_000_000_000)));
        RateLimiter narrow = RateLimiter.allOf(
                "narrow",
                RateLimiter.of("a", Limit.perSecond(1_000_000_000)),
                RateLimiter.of("b", Limit.of(1, Duration.ofDays(1))),
                RateLimiter.of("c", Limit.perSecond(1_000_000_000)));
        narrow.tryAcquire();
        assertThat(allocatedBy(() -> {
                    if (wide.tryAcquireOrWaitNanos() != 0) {
                        throw new AssertionError("refused");
                    }
                }))
                .isLessThan(SLACK);
        assertThat(allocatedBy(() -> {
                    if (narrow.tryAcquireOrWaitNanos() == 0) {
                        throw new AssertionError("admitted");
                    }
                }))
                .isLessThan(SLACK);
    }

    @Test
    void a_fixed_window_has_its_permits_again_at_its_turn_and_twice_as_many_about_it() {
        Meter meter = MeterHistory.meter(Limit.fixedWindow(1_000, Duration.ofSeconds(1)), 5);
        assertThat(meter.take(1_000_000_004, 1_000)).isZero();
        assertThat(meter.take(1_000_000_004, 1)).isEqualTo(1);
        assertThat(meter.take(1_000_000_005, 1_000)).isZero();
        assertThat(meter.take(1_000_000_005, 1)).isEqualTo(1_000_000_000);
        meter.charge(1_000_000_005, 2_500);
        assertThat(meter.take(1_000_000_005, 1)).isEqualTo(3_000_000_000L);
        assertThat(meter.available(3_000_000_005L + 1_000_000_000)).isEqualTo(500);
    }

    @Test
    void a_fixed_window_takes_a_permit_for_each_nanosecond() {
        Meter meter = MeterHistory.meter(Limit.fixedWindow(1_000_000_000, Duration.ofSeconds(1)), -3);
        assertThat(meter.take(0, 1_000_000_000)).isZero();
        assertThat(meter.take(999_999_996, 1)).isEqualTo(1);
        assertThat(meter.take(999_999_997, 1_000_000_000)).isZero();
        assertThat(meter.take(999_999_997, 1)).isPositive();
        assertThatThrownBy(() -> Limit.fixedWindow(1_000_000_001, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("permits must be from 1 to 1000000000, but was 1000000001");
    }

    @Test
    void a_log_has_a_permit_again_exactly_a_window_after_it_was_taken() {
        Meter meter = MeterHistory.meter(Limit.slidingLog(2, Duration.ofSeconds(1)), 0);
        assertThat(meter.take(0, 1)).isZero();
        assertThat(meter.take(600_000_000, 1)).isZero();
        assertThat(meter.take(999_999_999, 1)).isEqualTo(1);
        assertThat(meter.take(999_999_999, 2)).isEqualTo(600_000_001);
        assertThat(meter.take(1_000_000_000, 1)).isZero();
        assertThatThrownBy(() -> Limit.slidingLog((1 << 20) + 1, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("permits must be from 1 to 1048576, but was 1048577");
    }

    /** In any window, wherever it starts; the bound of the checker alone would allow a window's worth more. */
    @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
    void no_window_of_a_log_has_more_than_its_permits(@ForAll long seed) {
        MeterHistory draw = new MeterHistory(seed);
        SlidingLogLimit limit = draw.log();
        long origin = draw.origin();
        Meter meter = MeterHistory.meter(limit, origin);
        long window = MeterHistory.window(limit);
        List<long[]> taken = new ArrayList<>();
        long now = origin;
        for (int call = 0; call < 100; call++) {
            long permits = draw.permits(limit);
            long end = now;
            taken.removeIf(entry -> Long.compareUnsigned(end - entry[0], window) >= 0);
            long before = taken.stream().mapToLong(entry -> entry[1]).sum();
            boolean admitted = meter.take(now, permits) == 0;
            assertThat(admitted).isEqualTo(before + permits <= limit.permits());
            if (admitted) {
                taken.add(new long[] {now, permits});
            }
            now += draw.step(limit);
        }
    }
}
