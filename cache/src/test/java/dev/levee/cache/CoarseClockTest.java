package dev.levee.cache;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofNanos;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.testing.ManualTime;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class CoarseClockTest {
    private final ManualTime time = new ManualTime();
    private final AtomicInteger exactReadings = new AtomicInteger();
    private final Environment counting = time.environment().toBuilder()
            .clock(() -> {
                exactReadings.incrementAndGet();
                return time.nanoTime();
            })
            .build();
    private final CoarseClock clock = new CoarseClock(counting);

    private static void readOften(CoarseClock clock) {
        for (int i = 0; i < CoarseClock.READINGS_TO_START; i++) {
            clock.nanoTime();
        }
    }

    @Test
    void is_exact_and_sets_no_timer_while_it_is_read_now_and_then() {
        for (int i = 0; i < 100; i++) {
            assertThat(clock.nanoTime()).isEqualTo(time.nanoTime());
            time.advance(ofNanos(100_000));
        }
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void reads_the_clock_of_the_environment_once_a_tick_while_it_is_read_often() {
        readOften(clock);
        exactReadings.set(0);
        for (int tick = 1; tick <= 100; tick++) {
            for (int i = 0; i < 1_000; i++) {
                clock.nanoTime();
            }
            assertThat(exactReadings).hasValue(tick - 1);
            time.advance(ofMillis(1));
        }
        assertThat(time.pendingTimers()).isEqualTo(1);
    }

    @Test
    void stops_when_it_is_not_read_any_more() {
        readOften(clock);
        assertThat(clock.isTicking()).isTrue();
        time.advance(ofSeconds(1));
        assertThat(clock.isTicking()).isFalse();
        assertThat(time.pendingTimers()).isZero();
        assertThat(clock.nanoTime()).isEqualTo(time.nanoTime());
        readOften(clock);
        assertThat(clock.isTicking()).isTrue();
        assertThat(clock).hasToString("coarse clock, ticking");
    }

    /** With timers that are in time: never ahead, never behind by more than a tick. */
    @Property
    void is_never_ahead_and_behind_by_a_tick_at_most(
            @ForAll long origin, @ForAll @Size(max = 50) List<@IntRange(max = 3_000_000) Integer> steps) {
        ManualTime anyTime = ManualTime.startingAt(origin);
        CoarseClock any = new CoarseClock(anyTime.environment());
        readOften(any);
        for (int step : steps) {
            anyTime.advance(ofNanos(step));
            long behind = anyTime.nanoTime() - any.nanoTime();
            assertThat(behind).isBetween(0L, CoarseClock.TICK);
        }
    }

    @Test
    void is_exact_where_no_timer_can_be_set() {
        Environment real = Environment.closeable("coarse");
        real.close();
        CoarseClock late = new CoarseClock(real);
        for (int i = 0; i < 1_000; i++) {
            late.nanoTime();
        }
        assertThat(late.isTicking()).isFalse();
    }

    @Test
    void is_exact_again_when_ticks_do_not_come_and_an_entry_is_made() {
        AtomicBoolean lost = new AtomicBoolean(true);
        Environment stuck = time.environment().toBuilder()
                .scheduler(new Broken() {
                    @Override
                    public Timer schedule(Runnable task, long delayNanos) {
                        return lost.get()
                                ? () -> true
                                : time.environment().scheduler().schedule(task, delayNanos);
                    }
                })
                .build();
        Cache<String, Integer> cache = Cache.of(
                "coarse", c -> c.coarseClock().expireAfter(ofMinutes(5)).expiryJitter(0), stuck);
        cache.put("a", 1);
        for (int i = 0; i < 100; i++) {
            cache.getIfPresent("a");
        }
        time.advance(ofMinutes(5));
        cache.put("b", 1);
        assertThat(cache.getIfPresent("a")).isNull();
    }

    @Test
    void expiry_is_late_by_a_tick_at_most_and_never_early() {
        Cache<String, Integer> cache = Cache.of(
                "coarse", c -> c.coarseClock().expireAfter(ofSeconds(1)).expiryJitter(0), time.environment());
        cache.put("a", 1);
        long end = time.nanoTime() + ofSeconds(1).toNanos();
        for (int i = 0; i < 20; i++) {
            cache.getIfPresent("a");
        }
        while (cache.getIfPresent("a") != null) {
            time.advance(ofNanos(10_000));
        }
        assertThat(time.nanoTime() - end).isBetween(0L, CoarseClock.TICK);
    }

    @Test
    void is_shared_by_the_caches_of_an_environment() {
        assertThat(CoarseClock.of(counting)).isSameAs(CoarseClock.of(counting));
        assertThat(CoarseClock.of(time.environment())).isNotSameAs(CoarseClock.of(counting));
    }

    private abstract static class Broken implements Scheduler {
        @Override
        public void sleep(long nanos) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void park(Object blocker, long nanos) {
            throw new UnsupportedOperationException();
        }
    }
}
