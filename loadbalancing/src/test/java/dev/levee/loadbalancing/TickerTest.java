package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** When the timer of a balancer that is not used rests, and goes on. */
class TickerTest {
    private static final Duration TICK = Duration.ofNanos(PauseDetector.PERIOD_NANOS);
    private static final int TICKS_TO_REST = 101;

    private final ManualTime time = new ManualTime();
    private final AtomicInteger ticks = new AtomicInteger();
    private Runnable whileItStops = () -> {};
    private final Ticker ticker = new Ticker(
            "nodes",
            time.environment(),
            true,
            new PauseDetector(time.environment().clock().nanoTime()) {
                @Override
                void rest() {
                    super.rest();
                    Runnable once = whileItStops;
                    whileItStops = () -> {};
                    once.run();
                }
            });

    private int ticksIn(int periods) {
        int before = ticks.get();
        for (int i = 0; i < periods; i++) {
            time.advance(TICK);
        }
        return ticks.get() - before;
    }

    private void start() {
        whileItStops = () -> {};
        ticker.add(now -> ticks.incrementAndGet());
        ticker.used();
    }

    @Test
    void it_rests_when_no_call_has_begun_for_ten_seconds_and_the_next_call_starts_it() {
        start();
        assertThat(ticksIn(TICKS_TO_REST)).isEqualTo(TICKS_TO_REST);
        assertThat(ticksIn(10)).isZero();
        ticker.used();
        assertThat(ticksIn(10)).isEqualTo(10);
    }

    @Test
    void a_call_that_begins_while_it_stops_keeps_it_going() {
        start();
        whileItStops = ticker::used;
        ticksIn(TICKS_TO_REST);
        assertThat(ticksIn(10)).isEqualTo(10);
    }

    @Test
    void a_pause_before_the_first_tick_is_seen_and_none_while_it_rests() {
        long begun = time.nanoTime();
        long later = begun + TICK.multipliedBy(10).toNanos();
        assertThat(ticker.pauses().overlaps(begun, later)).as("it rests").isFalse();
        start();
        assertThat(ticker.pauses().overlaps(begun, begun + PauseDetector.BUSY_PERIOD_NANOS))
                .isFalse();
        assertThat(ticker.pauses().overlaps(begun, later))
                .as("no tick has come")
                .isTrue();
    }
}
