package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only long lives, long pauses or very late threads bring about. */
class WindowsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100, 100_000})
    void a_count_window_stays_full_when_its_laps_come_round(int size) {
        CountWindow window = new CountWindow(size, Limits.NONE);
        for (int i = 0; i < size; i++) {
            window.record(Window.FAILED, 0);
        }
        long seen = window.word.get();
        window.word.compareAndSet(seen, seen | -1L << window.lapShift);
        for (int i = 0; i < size; i++) {
            window.record(0, 0);
        }
        assertThat(window.tally(0)).isEqualTo(new Tally(size, 0, 0));
        window.record(Window.SLOW, 0);
        assertThat(window.tally(0)).isEqualTo(new Tally(size, 0, 1));
    }

    @Nested
    class ATickCounter {
        private final TickCounter counter = new TickCounter(50); // on a ring of 64

        @Test
        void sums_the_last_ticks() {
            counter.add(0);
            counter.add(49);
            counter.add(49);
            assertThat(counter.sum(49)).isEqualTo(3);
            assertThat(counter.sum(50)).isEqualTo(2);
            assertThat(counter.sum(98)).isEqualTo(2);
            assertThat(counter.sum(99)).isZero();
        }

        @Test
        void leaves_a_later_count_alone_when_a_thread_comes_a_lap_late() {
            counter.add(64);
            counter.add(0);
            counter.add(64);
            assertThat(counter.sum(64)).isEqualTo(2);
        }

        @Test
        void begins_anew_after_a_pause_shorter_than_what_its_laps_can_count() {
            counter.add(7);
            for (long pause = 64; pause < 1L << 38; pause *= 2) {
                assertThat(counter.sum(7 + pause)).as("after %d ticks", pause).isZero();
            }
            long late = 7 + (1L << 37);
            counter.add(late);
            assertThat(counter.sum(late)).isOne();
        }
    }
}
