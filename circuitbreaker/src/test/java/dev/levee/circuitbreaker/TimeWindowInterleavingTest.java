package dev.levee.circuitbreaker;

import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * A time window is not linearizable, but loses nothing: at rest its counts are exact, whichever threads contended for a
 * counter; and if they are over the limits, a call that recorded has returned that.
 */
class TimeWindowInterleavingTest {
    @Test
    void counts_are_exact_at_rest_and_some_call_sees_that_they_are_over_the_limit() {
        CountWindowInterleavingTest.options().actorsAfter(0).check(Calls.class);
    }

    @Test
    void counts_are_those_of_one_moment_also_while_buckets_begin_anew() {
        CountWindowInterleavingTest.options()
                .actorsBefore(0)
                .actorsAfter(0)
                .actorsPerThread(1)
                .check(Rotation.class);
    }

    @Test
    void a_call_is_counted_before_its_failure_and_read_after_it() {
        CountWindowInterleavingTest.options()
                .actorsBefore(0)
                .actorsAfter(0)
                .actorsPerThread(1)
                .check(Sums.class);
    }

    /** Each thread records a call that failed and was slow, and reads: it never sees an outcome without its call. */
    public static class Sums {
        private final Thresholds limits = new Thresholds(0.5, 0.5, 1);
        private final TimeWindow window = new TimeWindow(2, 0);

        @Operation
        public void failSlowlyAndRead() {
            requireCalls(window.record(Window.FAILED | Window.SLOW, 0, limits));
            requireCalls(window.tally(0));
        }

        private static void requireCalls(@Nullable Counts tally) {
            if (tally != null && (tally.failures() > tally.calls() || tally.slow() > tally.calls())) {
                throw new IllegalStateException("an outcome without its call: " + tally);
            }
        }
    }

    /**
     * There are calls in the first bucket, whose place the third will take: a sum must not see the failures of one and
     * the calls of the other.
     */
    public static class Rotation {
        private final Thresholds limits = new Thresholds(0.6, Thresholds.OFF, 1);
        /** Two buckets of 1 ns. */
        private final TimeWindow window = new TimeWindow(2, 0);

        public Rotation() {
            for (int i = 0; i < 3; i++) {
                window.record(0, 0, limits);
            }
            window.record(Window.FAILED, 0, limits);
        }

        @Operation
        public void failInSecond() {
            record(Window.FAILED, 1);
        }

        @Operation
        public void succeedInThird() {
            record(0, 2);
        }

        private void record(int outcome, int bucket) {
            Counts tally = window.record(outcome, bucket, limits);
            if (tally != null && tally.failures() > tally.calls()) {
                throw new IllegalStateException("returned " + tally);
            }
        }
    }

    public static class Calls {
        private final Thresholds limits = new Thresholds(0.5, Thresholds.OFF, 3);
        private final TimeWindow window = new TimeWindow(2, 0);
        private final AtomicInteger[] calls = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
        private final AtomicInteger[] failures = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
        private final AtomicInteger returned = new AtomicInteger();

        @Operation
        public void succeedInFirst() {
            record(0, 0);
        }

        @Operation
        public void failInFirst() {
            record(Window.FAILED, 0);
        }

        @Operation
        public void succeedInSecond() {
            record(0, 1);
        }

        @Operation
        public void failInSecond() {
            record(Window.FAILED, 1);
        }

        private void record(int outcome, int bucket) {
            calls[bucket].incrementAndGet();
            failures[bucket].addAndGet(outcome);
            if (window.record(outcome, bucket, limits) != null) {
                returned.incrementAndGet();
            }
        }

        @Validate
        public void validate() {
            int all = calls[0].get() + calls[1].get();
            int failed = failures[0].get() + failures[1].get();
            Counts tally = window.tally(1);
            if (tally.calls() != all || tally.failures() != failed) {
                throw new IllegalStateException(tally + " instead of " + all + " and " + failed);
            }
            if (all >= 3 && failed / (double) all >= 0.5 && returned.get() == 0) {
                throw new IllegalStateException("no call returned " + tally);
            }
        }
    }
}
