package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a review finds while a call counts its failure, step by step. */
class OutcomeCountersTest {
    /** Counters that run something before and after a run is raised, as another thread may. */
    private static final class Stopped extends OutcomeCounters {
        private Runnable before = () -> {};
        private Runnable after = () -> {};
        private Runnable beforeBeginning = () -> {};

        Stopped() {
            super(2);
        }

        @Override
        boolean beginRun(long seen, long endNanos) {
            Runnable once = beforeBeginning;
            beforeBeginning = () -> {};
            once.run();
            return super.beginRun(seen, endNanos);
        }

        @Override
        boolean raiseRun(long seen) {
            Runnable once = before;
            before = () -> {};
            once.run();
            boolean raised = super.raiseRun(seen);
            after.run();
            return raised;
        }
    }

    private final Stopped counters = new Stopped();

    @Test
    void a_run_shows_with_its_start() {
        counters.failure(7);
        counters.success(8);
        List<Long> seen = new ArrayList<>();
        counters.after = () -> {
            seen.add(counters.run());
            seen.add(counters.runSince());
        };
        counters.failure(9);
        assertThat(seen).containsExactly(1L, 9L);
    }

    @Test
    void a_run_that_a_success_has_ended_meanwhile_begins_anew_with_its_own_start() {
        counters.failure(7);
        counters.before = () -> counters.success(8);
        counters.failure(9);
        assertThat(counters.run()).isEqualTo(1L);
        assertThat(counters.runSince()).isEqualTo(9L);
    }

    @Test
    void a_run_that_another_failure_has_begun_and_a_success_ended_meanwhile_begins_anew_with_its_own_start() {
        counters.failure(5);
        counters.success(6);
        counters.beforeBeginning = () -> {
            counters.failure(7);
            counters.success(8);
        };
        counters.failure(9);
        assertThat(counters.run()).isEqualTo(1L);
        assertThat(counters.runSince()).isEqualTo(9L);
    }

    @Test
    void the_start_stays_that_of_the_failure_which_has_begun_the_run() {
        counters.before = () -> counters.failure(8);
        assertThat(counters.failure(9)).as("worth a review").isTrue();
        assertThat(counters.run()).isEqualTo(2L);
        assertThat(counters.runSince()).isEqualTo(8L);
        counters.failure(10);
        assertThat(counters.runSince()).isEqualTo(8L);
    }

    @Test
    void a_run_that_has_faded_begins_anew() {
        OutcomeCounters fading = new OutcomeCounters(2, 100);
        long last = Long.MAX_VALUE;
        fading.failure(last);
        fading.failure(last + 100);
        assertThat(fading.run()).isEqualTo(2L);
        fading.failure(last + 201);
        assertThat(fading.run()).isEqualTo(1L);
        assertThat(fading.runSince()).isEqualTo(last + 201);
    }
}
