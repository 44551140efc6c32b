package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Verdict;
import dev.levee.core.testing.LongForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;

class CallAgeTest {
    private static final double UNIT = 1 << 16;

    private long word;
    private final List<long[]> calls = new ArrayList<>(); // generation, start

    private int start(int now) {
        long next = CallAge.started(word, now);
        assertThat(next).isNotEqualTo(word);
        word = next;
        calls.add(new long[] {CallAge.younger(word), now});
        return calls.size() - 1;
    }

    private void end(int call) {
        word += CallAge.ended(calls.remove(call)[0]);
    }

    @Test
    void no_call_has_no_age() {
        assertThat(CallAge.age(word, 1_000_000)).isZero();
        start(5);
        end(0);
        assertThat(CallAge.age(word, 1_000_000)).isZero();
    }

    @Test
    void a_single_call_that_stalls_shows_its_age_to_within_a_unit() {
        start(10);
        assertThat(CallAge.age(word, 10)).isZero();
        assertThat(CallAge.age(word, 110)).isEqualTo(99 * UNIT);
    }

    @Test
    void a_stall_shows_although_other_calls_come_and_go() {
        start(0); // stalls
        for (int now = 10; now < 1_000; now += 10) {
            int call = start(now);
            assertThat(CallAge.age(word, now)).isBetween(Math.max(0, now - 11) * UNIT, (double) now * UNIT);
            end(call);
        }
    }

    @Test
    void when_the_stall_is_over_the_age_falls() {
        start(0);
        start(5_000);
        end(0);
        start(5_010);
        assertThat(CallAge.age(word, 5_020)).isLessThanOrEqualTo(20 * UNIT);
    }

    @Test
    void the_clock_may_wrap_or_go_back() {
        start(Integer.MAX_VALUE - 5);
        assertThat(CallAge.age(word, Integer.MIN_VALUE + 10)).isEqualTo(15 * UNIT);
        assertThat(CallAge.age(word, Integer.MAX_VALUE - 50)).isZero();
    }

    @Property
    void the_age_is_never_more_than_that_of_the_oldest_call_while_there_are_two_generations(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int most) {
        word = 0;
        calls.clear();
        Random random = new Random(seed);
        int now = random.nextInt();
        int longest = 0;
        for (int step = 0; step < 2_000; step++) {
            now += random.nextInt(20);
            if (calls.isEmpty() || (calls.size() < most && random.nextBoolean())) {
                start(now);
            } else {
                int call = random.nextInt(calls.size());
                longest = Math.max(longest, now - (int) calls.get(call)[1]);
                end(call);
            }
            assertThat(CallAge.calls(word)).isEqualTo(calls.size());
            int oldest = 0;
            for (long[] call : calls) {
                oldest = Math.max(oldest, now - (int) call[1]);
            }
            double age = CallAge.age(word, now);
            boolean two = calls.stream().mapToLong(call -> call[0]).distinct().count() == 2;
            if (two) {
                assertThat(age).isLessThanOrEqualTo(oldest * UNIT);
            }
            // And never behind, or before, by more than one generation lasts, which is what a call takes at most.
            assertThat(Math.abs(age - oldest * UNIT)).isLessThanOrEqualTo((2 * Math.max(longest, oldest) + 21) * UNIT);
            if (calls.isEmpty()) {
                assertThat(age).isZero();
            }
        }
    }

    @Test
    void a_generation_that_is_full_counts_no_more_and_loses_nothing() {
        PeakEwma tracker = new PeakEwma(10_000_000_000L, null);
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            tokens.add(tracker.started(0));
        }
        assertThat(tokens.get(99_999)).isEqualTo(CallAge.NOT_COUNTED);
        for (long token : tokens) {
            tracker.ended(token, 0, 0, Verdict.IGNORED, null, null);
        }
        assertThat(tracker.age(1_000)).isZero();
        tracker.started(0);
        assertThat(tracker.age(1_001)).isEqualTo(1_000 * UNIT);
    }

    // ---- every interleaving of a few calls

    @Test
    void nothing_is_lost_when_calls_begin_and_end_at_once() {
        options().check(CallsAtOnce.class);
    }

    @Test
    void a_word_that_is_written_without_comparing_is_caught() {
        assertThatThrownBy(() -> options().check(CallsAtOnceCarelessly.class))
                .isInstanceOf(LincheckAssertionError.class);
    }

    private static ModelCheckingOptions options() {
        return new ModelCheckingOptions()
                .threads(2)
                .actorsPerThread(3)
                .actorsBefore(1)
                .actorsAfter(0)
                .iterations(LongForm.iterations(5))
                .invocationsPerIteration(LongForm.invocations(300));
    }

    /** When no call is in flight at the end, the tracker has no age. */
    public static class CallsAtOnce {
        private final PeakEwma tracker = new PeakEwma(10_000_000_000L, null);

        @Operation
        public void call() {
            long token = tracker.started(0);
            tracker.ended(token, 0, 0, Verdict.IGNORED, null, null);
        }

        @Operation
        public void two() {
            long first = tracker.started(0);
            long second = tracker.started(0);
            tracker.ended(first, 0, 0, Verdict.IGNORED, null, null);
            tracker.ended(second, 0, 0, Verdict.IGNORED, null, null);
        }

        @Validate
        public void noCallIsLeft() {
            if (tracker.age(1_000) != 0) {
                throw new IllegalStateException("a call is left");
            }
        }
    }

    public static class CallsAtOnceCarelessly {
        private final AtomicLong word = new AtomicLong();

        @Operation
        public void call() {
            long next = CallAge.started(word.get(), 0);
            word.set(next); // instead of compareAndSet
            word.getAndAdd(CallAge.ended(CallAge.younger(next)));
        }

        @Validate
        public void noCallIsLeft() {
            if (CallAge.age(word.get(), 1_000) != 0) {
                throw new IllegalStateException("a call is left");
            }
        }
    }
}
