package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class PartitionSharesPropertyTest {
    @Property
    void parts_are_the_limit_in_sum_and_at_least_one_each(
            @ForAll @Size(min = 1, max = 16) List<@IntRange(min = 1, max = 1000) Integer> weights,
            @ForAll @IntRange(min = 16, max = 65_536) int limit) {
        double sum = weights.stream().mapToInt(weight -> weight).sum();
        double[] shares = weights.stream().mapToDouble(weight -> weight / sum).toArray();
        int[] parts = new PartitionShares(shares).split(limit);
        assertThat(Arrays.stream(parts).sum()).isEqualTo(limit);
        assertThat(Arrays.stream(parts).min().orElse(0)).isGreaterThanOrEqualTo(1);
        for (int i = 0; i < parts.length; i++) {
            assertThat(parts[i]).isLessThanOrEqualTo((int) Math.ceil(limit * shares[i]) + 1);
        }
    }

    /** Each number is a step: who enters, who leaves and how, and how much time passes. */
    @Property
    void whatever_happens_no_call_is_admitted_while_as_many_as_the_limit_are_in_flight(
            @ForAll @Size(min = 50, max = 400) List<@IntRange(min = 0, max = 11) Integer> steps) {
        ManualTime time = new ManualTime();
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of(
                "b",
                config -> config.minLimit(4)
                        .initialLimit(9)
                        .maxLimit(30)
                        .partition("a", 0.5)
                        .partition("b", 0.3)
                        .partition("c", 0.1),
                time.environment());
        List<Gate> gates = List.of(bulkhead.partition("a"), bulkhead.partition("b"), bulkhead.partition("c"), bulkhead);
        Deque<Long> held = new ArrayDeque<>();
        List<Long> ended = new ArrayList<>();
        for (int step : steps) {
            if (step < 7) {
                int before = bulkhead.inFlight();
                long stamp = gates.get(step % 4).tryEnter(0);
                if (stamp != Gate.REFUSED) {
                    assertThat(before).isLessThan(bulkhead.limit());
                    held.add(stamp);
                }
            } else if (step < 11 && !held.isEmpty()) {
                Verdict verdict = step == 10 ? Verdict.THROTTLED : Verdict.SUCCESS;
                long stamp = step == 7 ? held.removeLast() : held.removeFirst();
                bulkhead.exit(stamp, 0, 0, verdict, RefusedException.UNKNOWN);
                ended.add(stamp);
            } else {
                time.advance(Duration.ofMillis(40));
                ended.forEach(stamp -> bulkhead.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN));
            }
            assertThat(bulkhead.inFlight()).isEqualTo(held.size());
        }
    }
}
