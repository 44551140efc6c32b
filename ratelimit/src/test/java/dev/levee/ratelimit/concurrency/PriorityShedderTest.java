package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Shedding by priority: simulated overloads in virtual time, and the parts of the controller. */
@SuppressWarnings("EnumOrdinal")
class PriorityShedderTest {
    private static final long SECOND = 1_000_000_000L;

    /** Bursts of a small server that is not overloaded may fill its queue now and then. */
    private static final int MAX_AT_REST = 1;

    /** A server with permits, and callers that come at random. */
    private static class Simulation {
        final ManualTime time = new ManualTime();
        final Random random;
        final Bulkhead bulkhead;
        final PriorityShedder shedder;
        final Pipeline guard;
        final double capacity;
        final long workNanos;
        final long[] came = new long[4];
        final long[] served = new long[4];
        final long[] refusedOf = new long[4];
        final long[] servedOfCohort = new long[CallContext.COHORTS];
        final long[] cameOfCohort = new long[CallContext.COHORTS];
        final List<Double> shares = new ArrayList<>();
        double[] mix = {0.1, 0.25, 0.35, 0.3};
        boolean cohorts;
        int refused;

        Simulation(int permits, long workNanos, boolean shedding, long seed) {
            this.random = new Random(seed);
            this.workNanos = workNanos;
            this.capacity = permits * (double) SECOND / workNanos;
            Environment environment = time.environment();
            // As the documentation says: an interval of five times what calls take, and a target of a twentieth of it.
            Duration interval = Duration.ofNanos(Math.max(5 * workNanos, SECOND / 10));
            bulkhead = shedding
                    ? SheddingBulkhead.of(
                            "server",
                            c -> c.maxConcurrent(permits).interval(interval).target(interval.dividedBy(20)),
                            environment)
                    : Bulkhead.of(
                            "server", c -> c.maxConcurrent(permits).queue(100, Duration.ofSeconds(1)), environment);
            shedder = PriorityShedder.of("front", bulkhead);
            guard = Pipeline.of(shedder, bulkhead);
        }

        /** Lets calls come for a time, at a multiple of the capacity. */
        void run(double load, double seconds) {
            double rate = load * capacity;
            long end = time.nanoTime() + (long) (seconds * SECOND);
            long sampled = time.nanoTime();
            while (true) {
                long gap = (long) (-Math.log(1 - random.nextDouble()) / rate * SECOND);
                if (time.nanoTime() + gap - end >= 0) {
                    time.advance(Duration.ofNanos(end - time.nanoTime()));
                    return;
                }
                time.advance(Duration.ofNanos(gap));
                one();
                if (time.nanoTime() - sampled >= SECOND / 2) {
                    sampled = time.nanoTime();
                    shares.add(shedder.refusedShare());
                }
            }
        }

        private void one() {
            double drawn = random.nextDouble();
            int level = 0;
            while (level < 3 && drawn >= mix[level]) {
                drawn -= mix[level++];
            }
            int own = level;
            int cohort = drawCohort();
            came[own]++;
            cameOfCohort[cohort]++;
            CallContext context = CallContext.current().withCriticality(Criticality.values()[own]);
            (cohorts ? context.withCohort(cohort) : context)
                    .call(() -> guard.callAsync(() -> {
                        CompletableFuture<String> work = new CompletableFuture<>();
                        long nanos = (long) (workNanos * (0.5 + random.nextDouble()));
                        time.environment().scheduler().schedule(() -> work.complete("done"), nanos);
                        return work;
                    }))
                    .whenComplete((done, error) -> {
                        if (error == null) {
                            served[own]++;
                            servedOfCohort[cohort]++;
                        } else {
                            refused++;
                            refusedOf[own]++;
                        }
                    });
        }

        int drawCohort() {
            return random.nextInt(CallContext.COHORTS);
        }

        void forget() {
            for (long[] counts : new long[][] {came, served, refusedOf, cameOfCohort, servedOfCohort}) {
                Arrays.fill(counts, 0);
            }
            shares.clear();
            refused = 0;
        }

        double servedCritical() {
            return 1 - (refusedOf[0] + refusedOf[1]) / (double) (came[0] + came[1]);
        }

        double meanShare() {
            return shares.stream().mapToDouble(it -> it).average().orElseThrow();
        }

        double deviationOfShare() {
            double mean = meanShare();
            return Math.sqrt(shares.stream()
                    .mapToDouble(it -> (it - mean) * (it - mean))
                    .average()
                    .orElseThrow());
        }

        @Override
        public String toString() {
            return "came " + Arrays.toString(came) + " served " + Arrays.toString(served) + " of " + capacity
                    + "/s, shares " + shares;
        }

        double goodput() {
            return (double) served[0] + served[1] + served[2] + served[3];
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10, 50, true, 1",
        "10, 50, true, 2",
        "100, 50, true, 3",
        "4, 200, true, 5",
        "2, 100, true, 6",
        "25, 1000, true, 7",
        "10, 50, false, 8",
    })
    void at_twice_the_capacity_critical_calls_are_served_and_nothing_oscillates(
            int permits, int workMillis, boolean shedding, long seed) {
        Simulation simulation = new Simulation(permits, workMillis * 1_000_000L, shedding, seed);
        simulation.run(0.6, 20);
        assertThat(simulation.refused).as(simulation.toString()).isLessThanOrEqualTo(MAX_AT_REST);
        simulation.forget();
        simulation.run(2, 30);
        double critical = permits < 10 ? 0.95 : 0.99; // so few permits are all in use now and then by critical calls
        double least = (permits < 10 ? 0.85 : 0.9) * 30 * simulation.capacity;
        String beginning = simulation.toString();
        if (shedding) {
            assertThat(simulation.servedCritical()).as(beginning).isGreaterThan(critical);
        }
        assertThat(simulation.goodput()).as(beginning).isGreaterThan(least);
        simulation.forget();
        simulation.run(2, 30);
        String settled = simulation.toString();
        assertThat(simulation.shedder.isArmed()).isTrue();
        assertThat(simulation.servedCritical()).as(settled).isGreaterThan(critical);
        assertThat(simulation.goodput()).as(settled).isGreaterThan(least);
        assertThat(simulation.served[3]).as(settled).isLessThan(simulation.came[3] / 10);
        assertThat(simulation.meanShare()).as(settled).isBetween(0.4, 0.6);
        assertThat(simulation.deviationOfShare()).as(settled).isLessThan(0.1);
        simulation.run(0.5, 15);
        assertThat(simulation.shedder.isArmed()).as(simulation.toString()).isFalse();
        assertThat(simulation.shedder.refusedShare()).isZero();
        simulation.forget();
        simulation.run(0.5, 5);
        assertThat(simulation.refused).as(simulation.toString()).isLessThanOrEqualTo(MAX_AT_REST);
    }

    @Test
    void within_a_criticality_the_same_cohorts_are_served() {
        Simulation simulation = new Simulation(20, 50_000_000, true, 10);
        simulation.cohorts = true;
        simulation.mix = new double[] {0, 1, 0, 0};
        simulation.run(2, 10);
        simulation.forget();
        simulation.run(2, 30);
        double first = 0;
        double last = 0;
        for (int cohort = 0; cohort < 48; cohort++) {
            first += simulation.servedOfCohort[cohort] / (double) simulation.cameOfCohort[cohort] / 48;
            int high = CallContext.COHORTS - 1 - cohort;
            last += simulation.servedOfCohort[high] / (double) simulation.cameOfCohort[high] / 48;
        }
        assertThat(first).as(simulation.toString()).isGreaterThan(0.95);
        assertThat(last).as(simulation.toString()).isLessThan(0.03);
    }

    @Test
    void one_caller_that_makes_most_of_the_calls_makes_nothing_oscillate() {
        Simulation simulation = new Simulation(20, 50_000_000, true, 11) {
            @Override
            int drawCohort() {
                return random.nextInt(4) == 0 ? random.nextInt(CallContext.COHORTS) : 64;
            }
        };
        simulation.cohorts = true;
        simulation.mix = new double[] {0, 1, 0, 0};
        simulation.run(2, 20);
        simulation.forget();
        simulation.run(2, 30);
        assertThat(simulation.deviationOfShare()).isLessThan(0.1);
        assertThat(simulation.servedOfCohort[0]).isGreaterThan(simulation.cameOfCohort[0] * 9 / 10);
        assertThat(simulation.goodput()).isGreaterThan(0.9 * 30 * simulation.capacity);
    }

    @Nested
    class Armed {
        private final ManualTime time = new ManualTime();
        private final Environment environment = time.environment();
        private final SheddingBulkhead bulkhead =
                SheddingBulkhead.of("server", c -> c.maxConcurrent(1).interval(Duration.ofSeconds(20)), environment);
        private final PriorityShedder shedder = PriorityShedder.of("front", bulkhead);
        private final Pipeline guard = Pipeline.of(shedder, bulkhead);

        private void hang(Duration duration) {
            for (long passed = 0; passed < duration.toMillis(); passed += 100) {
                guard.callAsync(CompletableFuture::new);
                time.advance(Duration.ofMillis(100));
            }
        }

        @Test
        void is_not_what_has_a_queue_for_less_than_a_second() {
            hang(Duration.ofMillis(900));
            assertThat(shedder.isArmed()).isFalse();
            assertThat(shedder.refusedShare()).isZero();
        }

        @Test
        void is_what_has_not_had_an_empty_queue_for_longer() {
            hang(Duration.ofSeconds(3));
            assertThat(shedder.isArmed()).isTrue();
            assertThat(shedder.refusedShare()).isPositive();
            assertThat(shedder.toString()).contains("ARMED").contains("in front of bulkhead \"server\"");
        }

        @Test
        void ends_with_a_pause() {
            hang(Duration.ofSeconds(3));
            time.advance(Duration.ofSeconds(6));
            assertThat(shedder.isArmed()).isFalse();
            assertThat(time.pendingTimers())
                    .as("of the calls in the queue, none of the shedder")
                    .isPositive();
        }

        @Test
        void is_not_changed_by_time_that_stands_still_or_jumps_back() {
            AtomicLong clock = new AtomicLong(0);
            Environment hostile = environment.toBuilder().clock(clock::get).build();
            PriorityShedder one = PriorityShedder.of("front", bulkhead, hostile);
            bulkhead.tryEnter(0);
            bulkhead.enterAsync(dev.levee.core.Deadline.after(Duration.ofDays(1), environment.clock()));
            for (int step = 0; step < 20; step++) {
                clock.addAndGet(250_000_000);
                one.tryEnter(clock.get());
            }
            double share = one.refusedShare();
            assertThat(share).isPositive();
            for (long jump : new long[] {0, -1, -SECOND, -3_600 * SECOND}) {
                long before = clock.getAndAdd(jump);
                for (int call = 0; call < 100; call++) {
                    one.tryEnter(clock.get());
                }
                assertThat(one.isArmed()).isTrue();
                assertThat(one.refusedShare()).isEqualTo(share);
                clock.set(before);
            }
        }
    }

    @Nested
    class TheHistogram {
        private final PriorityHistogram histogram = new PriorityHistogram();

        private void count(int level, int cohort, int calls) {
            for (int call = 0; call < calls; call++) {
                histogram.count(level, cohort);
            }
        }

        @Test
        void refuses_the_highest_ranks_and_a_part_of_the_one_at_the_threshold() {
            count(0, 5, 10);
            count(1, 100, 30);
            count(3, 7, 60);
            assertThat(histogram.endPeriod()).isEqualTo(100);
            assertThat(histogram.threshold(0)).isEqualTo(PriorityHistogram.RANKS);
            assertThat(histogram.threshold(0.3)).isEqualTo(3 * 128 + 7 + 0.5);
            assertThat(histogram.threshold(0.75)).isEqualTo(128 + 100 + 0.5);
            assertThat(histogram.threshold(0.95)).isEqualTo(5.5);
        }

        @Test
        void spreads_calls_of_no_cohort_over_all_of_their_criticality() {
            count(1, -1, 128);
            count(2, -1, 128);
            histogram.endPeriod();
            assertThat(histogram.threshold(0.25)).isEqualTo(2 * 128 + 64);
            assertThat(histogram.threshold(0.5)).isEqualTo(2 * 128);
        }

        @Test
        void forgets_by_halves_and_refuses_none_when_it_knows_nothing() {
            assertThat(histogram.threshold(0.5)).isEqualTo(PriorityHistogram.RANKS);
            count(1, 0, 100);
            histogram.endPeriod();
            count(3, 0, 50);
            assertThat(histogram.endPeriod()).isEqualTo(50);
            assertThat(histogram.threshold(0.5)).isEqualTo(3 * 128);
        }
    }

    @Nested
    class TheController {
        private final ShedControl control = new ShedControl();

        /** Runs periods in which ten times as many calls come as can be done, or so. */
        private double settle(double came, double canBeDone, int periods) {
            for (int period = 0; period < periods; period++) {
                double letIn = came * (1 - control.share());
                double done = Math.min(letIn, canBeDone);
                control.update(came, letIn, done, 0, done / canBeDone);
            }
            return control.share();
        }

        @ParameterizedTest
        @CsvSource({
            "1000, 500, 0.5",
            "10, 5, 0.5",
            "100000, 50000, 0.5",
            "1000, 100, 0.9",
            "1000, 900, 0.1",
            "1000, 2000, 0",
        })
        void settles_at_the_share_that_cannot_be_done_at_any_rate(double came, double canBeDone, double share) {
            assertThat(settle(came, canBeDone, 200)).isBetween(share - 0.01, share + 0.01);
        }

        @Test
        void goes_back_to_nothing_when_the_load_ends_and_stays_within_its_bounds() {
            settle(1_000, 100, 100);
            assertThat(settle(80, 100, 30)).isZero();
            for (int period = 0; period < 100; period++) {
                control.update(1_000, 1_000, 0, 1_000, 1);
            }
            assertThat(control.share()).isEqualTo(0.99);
        }
    }

    @Nested
    class AsAGate extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return PriorityShedder.of("s", Bulkhead.of("b", 4, environment), environment);
        }

        @Override
        protected long held(Gate gate) {
            return 0; // it holds nothing
        }
    }

    @Test
    void what_is_wrong_with_settings_is_named() {
        Bulkhead bulkhead = Bulkhead.of("b", 1);
        Environment system = Environment.system();
        assertThatThrownBy(() -> PriorityShedder.of("s", bulkhead, c -> c.period(Duration.ofMillis(9)), system))
                .hasMessage("shedder \"s\": period must be from 10ms to 1m, but was 9ms");
        assertThatThrownBy(() -> PriorityShedder.of("s", bulkhead, c -> c.armAfter(Duration.ofMillis(499)), system))
                .hasMessage("shedder \"s\": armAfter must be at least the period of 500ms, but was 499ms");
        assertThatThrownBy(() -> PriorityShedder.of("s", bulkhead, c -> c.armAfter(Duration.ofDays(1)), system))
                .hasMessageContaining("armAfter must be at most 1h");
        assertThatThrownBy(() -> PriorityShedder.of("s", null)).hasMessage("bulkhead");
    }

    @Test
    @Tag("allocation")
    void a_call_allocates_nothing() {
        PriorityShedder shedder = PriorityShedder.of("s", Bulkhead.of("b", 1));
        Operation<String, RuntimeException> work = () -> "done";
        assertThat(AllocatedBytes.of(() -> shedder.call(work))).isLessThan(64 * 1024);
    }
}
