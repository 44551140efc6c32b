package dev.levee.loadbalancing.strategy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Environment;
import dev.levee.core.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Bounded loads between the pick and the reservation, where other calls come and go. */
class ReservationsTest {
    private final List<LoadTracker> trackers = new ArrayList<>();

    /** Endpoints of a balancer, as a strategy sees them. */
    private BalancingStrategy.Picker picker(int size, double excess) {
        BalancingStrategy strategy = BalancingStrategy.boundedLoads(excess).forBalancer(Environment.system());
        FakeCandidates plain = FakeCandidates.equal(size, 1);
        trackers.clear();
        for (int i = 0; i < size; i++) {
            trackers.add(strategy.newTracker(plain.endpoint(i)));
        }
        return strategy.over(new TrackedCandidates(plain, trackers));
    }

    @Test
    void of_two_calls_that_picked_the_last_place_one_gets_it() {
        BalancingStrategy.Picker picker = picker(4, 0.25);
        int one = picker.pick(77);
        int other = picker.pick(77);
        assertThat(other).isEqualTo(one);
        assertThat(trackers.get(one).reserve()).isTrue();
        assertThat(trackers.get(other).reserve()).isFalse();
        int again = picker.pick(77);
        assertThat(again).isNotEqualTo(one);
        assertThat(trackers.get(again).reserve()).isTrue();
    }

    /** What the bound was compared with must still be true when the call is admitted. */
    @Test
    void calls_that_end_between_the_comparison_and_the_admission_take_its_room() {
        CallLedger ledger = new CallLedger();
        FakeCandidates plain = FakeCandidates.equal(3, 1);
        List<LoadTracker> seats = List.of(ledger.newSeat(), ledger.newSeat(), ledger.newSeat());
        List<Runnable> meanwhile = new ArrayList<>();
        LoadBound bound = new LoadBound(new double[] {1, 1, 1}, 0.01) {
            @Override
            long capacity(int index, long calls) {
                long capacity = super.capacity(index, calls);
                meanwhile.forEach(Runnable::run);
                meanwhile.clear();
                return capacity;
            }
        };
        CallCounts counts = Objects.requireNonNull(ledger.counts(new TrackedCandidates(plain, seats), bound));
        counts.picked(0);
        seats.forEach(seat -> assertThat(seat.reserve()).isTrue());
        meanwhile.add(seats.get(1)::release);
        meanwhile.add(seats.get(2)::release);
        assertThat(seats.get(0).reserve()).isFalse(); // 2 of 2 calls here would be more than 1.01 * 2 / 3, rounded up
        assertThat(counts.calls()).isEqualTo(1);
        assertThat(counts.calls(0)).isEqualTo(1);
    }

    @Test
    void calls_that_begin_between_the_comparison_and_the_admission_are_counted_once() {
        CallLedger ledger = new CallLedger();
        FakeCandidates plain = FakeCandidates.equal(3, 1);
        List<LoadTracker> seats = List.of(ledger.newSeat(), ledger.newSeat(), ledger.newSeat());
        List<Runnable> meanwhile = new ArrayList<>();
        LoadBound bound = new LoadBound(new double[] {1, 1, 1}, 0.01) {
            @Override
            long capacity(int index, long calls) {
                List<Runnable> now = List.copyOf(meanwhile);
                meanwhile.clear();
                now.forEach(Runnable::run);
                return super.capacity(index, calls);
            }
        };
        CallCounts counts = Objects.requireNonNull(ledger.counts(new TrackedCandidates(plain, seats), bound));
        counts.picked(0);
        meanwhile.add(() -> assertThat(seats.get(0).reserve()).isFalse()); // both ask for the one place
        assertThat(seats.get(0).reserve()).isTrue();
        assertThat(counts.calls()).isEqualTo(1);
        meanwhile.add(() -> assertThat(seats.get(2).reserve()).isTrue());
        assertThat(seats.get(1).reserve()).isTrue();
        assertThat(counts.calls()).isEqualTo(3);
        seats.forEach(LoadTracker::release);
        assertThat(counts.calls()).isZero();
    }

    /**
     * Any order of picks, reservations and ends of many calls: no reservation ever exceeds the bound, and numbers
     * return to 0.
     */
    @Property(tries = 150)
    void no_order_of_steps_exceeds_the_bound(
            @ForAll @IntRange(min = 2, max = 8) int size,
            @ForAll @DoubleRange(min = 0.01, max = 1) double excess,
            @ForAll long seed) {
        BalancingStrategy.Picker picker = picker(size, excess);
        Random random = new Random(seed);
        int[] loads = new int[size];
        int all = 0;
        List<Integer> picked = new ArrayList<>();
        List<Integer> running = new ArrayList<>();
        for (int step = 0; step < 500; step++) {
            int dice = random.nextInt(10);
            if (dice < 4) {
                picked.add(picker.pick(random.nextInt(3) * 0x9E3779B97F4A7C15L));
            } else if (dice < 8 && !picked.isEmpty()) {
                int index = picked.remove(random.nextInt(picked.size()));
                long bound = LoadBound.capacity(excess, all + 1L, 1, size);
                boolean reserved = trackers.get(index).reserve();
                assertThat(reserved).isEqualTo(loads[index] < bound);
                if (reserved) {
                    loads[index]++;
                    all++;
                    if (random.nextInt(10) == 0) {
                        trackers.get(index).release(); // a gate refused
                        loads[index]--;
                        all--;
                    } else {
                        running.add(index);
                    }
                }
            } else if (!running.isEmpty()) {
                int index = running.remove(random.nextInt(running.size()));
                trackers.get(index).ended(0, 0, 0, Verdict.SUCCESS, null, null);
                loads[index]--;
                all--;
            }
        }
        running.forEach(index -> trackers.get(index).ended(0, 0, 0, Verdict.SUCCESS, null, null));
        assertThat(trackers.get(picker.pick(1)).reserve()).isTrue();
    }
}
