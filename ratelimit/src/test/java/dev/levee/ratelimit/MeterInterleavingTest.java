package dev.levee.ratelimit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.testing.PlantedFault;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Calls to one meter that overlap are answered as if they had come one after the other, in some order. */
@SuppressWarnings("IntLongMath")
class MeterInterleavingTest {
    @Test
    void of_a_sliding_window() {
        RateLimiterInterleavingTest.options().check(OfASlidingWindow.class);
    }

    @Test
    void of_a_fixed_window() {
        RateLimiterInterleavingTest.options().check(OfAFixedWindow.class);
    }

    @Test
    void of_the_calendar() {
        RateLimiterInterleavingTest.options().check(OfTheCalendar.class);
    }

    @Test
    void of_a_pace() {
        RateLimiterInterleavingTest.options().check(OfAPace.class);
    }

    @Test
    void a_window_that_is_reset_in_two_steps_is_caught() {
        assertThatThrownBy(() -> RateLimiterInterleavingTest.options().check(OfAHastyWindow.class))
                .satisfies(PlantedFault::isCaught)
                .hasMessageContaining("Invalid execution results");
    }

    /**
     * Windows of 2 ns; readings come out of order, as they do between threads. Where the turn of a window takes effect
     * with the first reading after it, before that call is decided, none is from before a turn.
     */
    @Param(name = "now", gen = IntGen.class, conf = "0:6")
    @Param(name = "permits", gen = IntGen.class, conf = "1:3")
    abstract static class OfAMeter {
        private final Meter meter;
        private final int first;
        private final int readings;

        OfAMeter(Meter meter, int first, int readings) {
            this.meter = meter;
            this.first = first;
            this.readings = readings;
        }

        private long at(int now) {
            return first + (long) (now % readings);
        }

        @Operation
        public long take(@Param(name = "now") int now, @Param(name = "permits") int permits) {
            return meter.take(at(now), permits);
        }

        @Operation
        public void giveBack(@Param(name = "now") int now) {
            meter.giveBack(at(now), at(now), 1);
        }

        @Operation
        public long charge(@Param(name = "now") int now, @Param(name = "permits") int permits) {
            return meter.charge(at(now), permits);
        }

        @Operation
        public long close(@Param(name = "now") int now) {
            return meter.close(at(now)) >= 0 ? 0 : 1;
        }
    }

    public static class OfASlidingWindow extends OfAMeter {
        public OfASlidingWindow() {
            super(MeterHistory.meter(Limit.slidingWindow(3, Duration.ofNanos(2)), 0), 2, 2);
        }
    }

    public static class OfAFixedWindow extends OfAMeter {
        public OfAFixedWindow() {
            super(MeterHistory.meter(Limit.fixedWindow(2, Duration.ofNanos(2)), 0), 0, 7);
        }
    }

    /** A clock on the wall that goes a minute each nanosecond. */
    public static class OfTheCalendar extends OfAMeter {
        public OfTheCalendar() {
            super(
                    new CalendarMeter(
                            Limit.calendar(3, ChronoUnit.MINUTES, ZoneOffset.UTC), now -> now / 2 * 60_000L, 0),
                    2,
                    2);
        }
    }

    public static class OfAPace extends OfAMeter {
        public OfAPace() {
            super(MeterHistory.meter(new PacedLimit(2, Duration.ofNanos(3), 3), 0), 0, 7);
        }
    }

    /** A planted mutation: the turn of a window forgets its count in one step and sets the window in another. */
    @Param(name = "now", gen = IntGen.class, conf = "0:6")
    public static class OfAHastyWindow {
        private final AtomicLong window = new AtomicLong();
        private final AtomicLong count = new AtomicLong();

        @Operation
        public boolean take(@Param(name = "now") int now) {
            long current = Math.max(window.get(), now / 2);
            if (current > window.get()) {
                count.set(0);
                window.set(current);
            }
            return count.incrementAndGet() <= 2;
        }
    }
}
