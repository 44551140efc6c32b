package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class CallAgeTest {
    private static final double UNIT = 1 << 16;

    private long word;
    private final List<Long> calls = new ArrayList<>(); // the round of each

    private int start(int now) {
        long next = CallAge.started(word, now);
        assertThat(next).isNotEqualTo(word);
        word = next;
        calls.add(CallAge.round(word));
        return calls.size() - 1;
    }

    private void end(int call, boolean succeeded) {
        word = CallAge.ended(word, calls.remove(call), succeeded);
    }

    @Test
    void no_call_has_no_age() {
        assertThat(CallAge.age(word, 1_000_000)).isZero();
        start(5);
        end(0, false);
        assertThat(CallAge.age(word, 1_000_000)).isZero();
        start(5);
        end(0, true);
        assertThat(CallAge.age(word, 1_000_000)).isZero();
    }

    @Test
    void a_single_call_that_stalls_shows_its_age_to_within_a_unit() {
        start(10);
        assertThat(CallAge.age(word, 10)).isZero();
        assertThat(CallAge.age(word, 110)).isEqualTo(99 * UNIT);
    }

    @Test
    void a_stall_shows_although_calls_come_and_are_given_up() {
        start(0); // stalls
        for (int now = 10; now < 1_000; now += 10) {
            int call = start(now);
            assertThat(CallAge.age(word, now)).isEqualTo((now - 1) * UNIT);
            end(call, false);
        }
    }

    @Test
    void a_call_that_a_later_one_overtakes_has_no_age() {
        start(0); // long
        int later = start(5_000);
        end(later, true);
        assertThat(CallAge.age(word, 5_020)).isZero();
        assertThat(CallAge.waiting(word)).isZero();
        start(6_000);
        assertThat(CallAge.age(word, 6_011)).isEqualTo(10 * UNIT);
        end(0, true); // the long one: it is no news of the one that waits
        assertThat(CallAge.age(word, 6_011)).isEqualTo(10 * UNIT);
        end(0, true);
        assertThat(CallAge.age(word, 7_000)).isZero();
    }

    @Test
    void the_clock_may_wrap_or_go_back() {
        start(Integer.MAX_VALUE - 5);
        assertThat(CallAge.age(word, Integer.MIN_VALUE + 10)).isEqualTo(15 * UNIT);
        assertThat(CallAge.age(word, Integer.MAX_VALUE - 50)).isZero();
    }

    @Test
    void rounds_come_again_after_a_million_and_lose_nothing() {
        for (int i = 0; i < (1 << 20) + 3; i++) {
            start(i);
            end(0, true);
        }
        assertThat(CallAge.round(word)).isEqualTo(3);
        assertThat(CallAge.waiting(word)).isZero();
        word = CallAge.ended(word, 3, false); // of the round with this number long ago
        assertThat(CallAge.waiting(word)).isZero();
        assertThat(CallAge.round(word)).isEqualTo(3);
    }

    /** Beside a model that knows every call. */
    @Property
    void the_age_is_the_time_without_a_success_while_calls_wait(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int most) {
        word = 0;
        calls.clear();
        Random random = new Random(seed);
        int now = random.nextInt();
        int began = now;
        List<Integer> waiting = new ArrayList<>(); // numbers of calls
        List<Integer> numbers = new ArrayList<>();
        int number = 0;
        for (int step = 0; step < 2_000; step++) {
            now += random.nextInt(20);
            if (calls.isEmpty() || (calls.size() < most && random.nextBoolean())) {
                start(now);
                began = waiting.isEmpty() ? now : began;
                waiting.add(number);
                numbers.add(number++);
            } else {
                int call = random.nextInt(calls.size());
                boolean succeeded = random.nextInt(3) > 0;
                end(call, succeeded);
                Integer ended = numbers.remove(call);
                if (waiting.remove(ended) && succeeded) {
                    waiting.clear();
                }
            }
            assertThat(CallAge.waiting(word)).isEqualTo(waiting.size());
            assertThat(CallAge.age(word, now)).isEqualTo(waiting.isEmpty() ? 0 : Math.max(0, now - began - 1) * UNIT);
        }
    }

    @Test
    void a_round_that_is_full_counts_no_more_and_loses_nothing() {
        PeakEwma tracker = new PeakEwma(10_000_000_000L, null);
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 100_000; i++) {
            tokens.add(tracker.started(0));
        }
        assertThat(tokens.get(99_999)).isEqualTo(CallAge.NOT_COUNTED);
        assertThat(tracker.sharing(100_000, 1_000, 1)).isEqualTo(100_000);
        for (long token : tokens) {
            tracker.ended(token, 0, 0, Verdict.IGNORED, null, null);
        }
        assertThat(tracker.age(1_000)).isZero();
        tracker.started(0);
        assertThat(tracker.age(1_001)).isEqualTo(1_000 * UNIT);
    }
}
