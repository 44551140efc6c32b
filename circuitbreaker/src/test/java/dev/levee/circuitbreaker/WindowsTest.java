package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What only long lives, long pauses or very late threads bring about. */
class WindowsTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 100, 100_000})
    void a_count_window_stays_full_when_its_laps_come_round(int size) {
        CountWindow window = new CountWindow(size);
        for (int i = 0; i < size; i++) {
            window.record(Window.FAILED, 0, Thresholds.NONE);
        }
        long seen = window.word.get();
        window.word.compareAndSet(seen, seen | -1L << window.lapShift);
        for (int i = 0; i < size; i++) {
            window.record(0, 0, Thresholds.NONE);
        }
        assertThat(window.tally(0)).isEqualTo(new Counts(size, 0, 0));
        window.record(Window.SLOW, 0, Thresholds.NONE);
        assertThat(window.tally(0)).isEqualTo(new Counts(size, 0, 1));
    }

    @Nested
    class ManyThreads {
        private static final int THREADS = 4;
        private static final int CALLS = 40_000;

        @ParameterizedTest
        @ValueSource(ints = {1, 2, 7, 16, 64, 100, 1000})
        void leave_the_ring_and_the_counts_of_a_count_window_in_step(int size) throws InterruptedException {
            CountWindow window = new CountWindow(size);
            inParallel(i -> window.record(i * 7 % 5 % 4, 0, Thresholds.NONE));
            assertThat(window.tally(0).calls()).isEqualTo(size);
            for (int i = 0; i < size; i++) {
                window.record(0, 0, Thresholds.NONE);
            }
            assertThat(window.tally(0)).isEqualTo(new Counts(size, 0, 0));
        }

        @Test
        void lose_no_call_of_a_time_window() throws InterruptedException {
            TimeWindow window = new TimeWindow(1_000, 0);
            inParallel(i -> window.record(i % 4, i % 1_000, Thresholds.NONE));
            long calls = THREADS * CALLS;
            assertThat(window.tally(999)).isEqualTo(new Counts(calls, calls / 2, calls / 2));
        }

        private void inParallel(IntConsumer call) throws InterruptedException {
            Thread[] threads = new Thread[THREADS];
            for (int t = 0; t < THREADS; t++) {
                threads[t] = new Thread(() -> IntStream.range(0, CALLS).forEach(call));
                threads[t].start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    @Nested
    class ATickCounter {
        /** On a ring of 64. */
        private final TickCounter counter = new TickCounter(50);

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
