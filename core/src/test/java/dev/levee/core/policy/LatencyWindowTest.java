package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LatencyWindowTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long LOWEST = 8192;

    @Property
    void the_answer_is_never_below_the_exact_percentile_and_at_most_a_sixteenth_above(
            @ForAll @Size(min = 1, max = 400) List<@LongRange(min = 0, max = 500 * SECOND) Long> latencies,
            @ForAll @DoubleRange(min = 0.01, max = 1) double percentile,
            @ForAll long now) {
        LatencyWindow window = new LatencyWindow(percentile, 1, 60 * SECOND, now);
        latencies.forEach(latency -> window.record(latency, now));
        List<Long> sorted = latencies.stream().sorted().toList();
        long exact = sorted.get((int) Math.ceil(percentile * sorted.size()) - 1);
        long told = window.percentileNanos(now);
        if (latencies.size() <= 256) { // later the answer is a few latencies old
            assertThat(told).isBetween(exact, Math.max(LOWEST, exact + exact / 16));
        }
    }

    @Property
    void every_latency_lies_in_its_bucket(@ForAll @LongRange(min = LOWEST + 1, max = 549 * SECOND) long nanos) {
        int bucket = LatencyWindow.bucketOf(nanos);
        assertThat(LatencyWindow.upperEdge(bucket)).isGreaterThanOrEqualTo(nanos);
        assertThat(LatencyWindow.upperEdge(bucket - 1)).isLessThan(nanos);
        assertThat(LatencyWindow.upperEdge(bucket)).isLessThanOrEqualTo(nanos + nanos / 16);
    }

    @Test
    void what_is_out_of_range_lies_in_the_last_bucket() {
        assertThat(LatencyWindow.bucketOf(-5)).isZero();
        assertThat(LatencyWindow.upperEdge(LatencyWindow.bucketOf(Long.MAX_VALUE)))
                .isEqualTo(1L << 39);
    }

    @Test
    void nothing_is_known_before_the_minimum() {
        LatencyWindow window = new LatencyWindow(0.5, 10, SECOND, 0);
        for (int i = 0; i < 9; i++) {
            window.record(1_000_000, 0);
            assertThat(window.percentileNanos(0)).isEqualTo(LatencyWindow.UNKNOWN);
        }
        window.record(1_000_000, 0);
        assertThat(window.percentileNanos(0)).isBetween(1_000_000L, 1_062_500L);
    }

    @Test
    void the_older_half_is_forgotten() {
        long start = Long.MAX_VALUE - SECOND / 4; // wraps in the test
        LatencyWindow window = new LatencyWindow(1, 1, SECOND, start);
        window.record(400_000_000, start);
        window.record(1_000_000, start + SECOND / 2);
        assertThat(window.percentileNanos(start + SECOND - 1)).isGreaterThanOrEqualTo(400_000_000);
        assertThat(window.percentileNanos(start + SECOND)).isBetween(1_000_000L, 1_062_500L);
        assertThat(window.percentileNanos(start + SECOND * 3 / 2)).isEqualTo(LatencyWindow.UNKNOWN);
    }

    @Test
    void after_a_long_silence_everything_is_forgotten_in_one_step() {
        LatencyWindow window = new LatencyWindow(1, 1, SECOND, 0);
        window.record(400_000_000, 0);
        window.record(400_000_000, SECOND / 2);
        assertThat(window.percentileNanos(1000 * SECOND)).isEqualTo(LatencyWindow.UNKNOWN);
    }

    @Test
    void threads_lose_nothing_between_two_turns() throws InterruptedException {
        LatencyWindow window = new LatencyWindow(0.75, 1, SECOND, 0);
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            long latency = (t + 1) * 1_000_000L;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < 64 * 100; i++) {
                    window.record(latency, 0);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        window.percentileNanos(SECOND / 2); // changes halves, and finds the answer anew
        assertThat(window.percentileNanos(SECOND / 2)).isBetween(3_000_000L, 3_187_500L);
    }

    /** Another thread clears both halves, after a pause, between the count of all and the search for the rank. */
    @Test
    void an_answer_of_counts_that_are_cleared_meanwhile_is_not_kept() {
        List<Runnable> meanwhile = new ArrayList<>();
        LatencyWindow window = new LatencyWindow(0.99, 1, SECOND, 0) {
            @Override
            int bucketOfRank(long all) {
                List<Runnable> now = List.copyOf(meanwhile);
                meanwhile.clear();
                now.forEach(Runnable::run);
                return super.bucketOfRank(all);
            }
        };
        window.record(1_000_000, 0);
        meanwhile.add(() -> window.percentileNanos(SECOND));
        window.record(1_000_000, 0);
        assertThat(window.percentileNanos(SECOND)).isEqualTo(LatencyWindow.UNKNOWN);
        window.record(2_000_000, SECOND);
        assertThat(window.percentileNanos(SECOND)).isBetween(2_000_000L, 2_125_000L);
    }

    @Test
    @Tag("allocation")
    void recording_and_reading_allocate_nothing() {
        LatencyWindow window = new LatencyWindow(0.95, 100, SECOND, 0);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        record(window);
        long before = threads.getCurrentThreadAllocatedBytes();
        record(window);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(64 * 1024);
    }

    private static void record(LatencyWindow window) {
        for (int i = 0; i < 100_000; i++) {
            window.record(ThreadLocalRandom.current().nextLong(SECOND), i * 100_000L);
            window.percentileNanos(i * 100_000L);
        }
    }
}
