package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Deadline;
import dev.levee.core.Gate;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A shedding bulkhead that finds its limit: permits, queue and what is learnt are one decision. */
class AdaptiveSheddingTest {
    private final ManualTime time = new ManualTime();

    private SheddingBulkhead bulkhead(Consumer<AdaptiveBulkheadConfig.Builder> limit) {
        return SheddingBulkhead.of("orders", config -> config.adaptive(limit), time.environment());
    }

    private CompletableFuture<Long> queue(SheddingBulkhead bulkhead, Criticality criticality) {
        Deadline deadline =
                Deadline.after(Duration.ofDays(1), time.environment().clock());
        return CallContext.current().withCriticality(criticality).call(() -> bulkhead.enterAsync(deadline));
    }

    @Test
    void begins_at_the_initial_limit_and_admits_no_more() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(7));
        assertThat(new LimitDriver(time, bulkhead).enter(100)).hasSize(7);
        assertThat(bulkhead.maxConcurrent()).isEqualTo(7);
    }

    @Test
    void a_drop_lowers_the_limit_and_those_that_wait_go_on_waiting() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(10));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        List<Long> stamps = driver.enter(10);
        CompletableFuture<Long> turn = queue(bulkhead, Criticality.CRITICAL);
        time.advance(Duration.ofMillis(1));
        driver.exit(stamps.get(0), Verdict.THROTTLED);
        assertThat(bulkhead.maxConcurrent()).isEqualTo(9);
        assertThat(turn).isNotDone();
        driver.exit(stamps.get(1), Verdict.SUCCESS);
        assertThat(turn).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
        assertThat(bulkhead.inFlight()).isEqualTo(9);
    }

    @Test
    void the_limit_grows_while_calls_wait_and_hands_what_is_new_to_the_most_critical() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(2).minLimit(2));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        driver.enter(2);
        CompletableFuture<Long> prefetch = queue(bulkhead, Criticality.SHEDDABLE);
        CompletableFuture<Long> payment = queue(bulkhead, Criticality.CRITICAL);
        bulkhead.reconfigure(AdaptiveBulkheadConfig.builder().minLimit(3).build());
        assertThat(payment).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
        assertThat(prefetch).isNotDone();
        bulkhead.setMaxConcurrent(4);
        assertThat(prefetch).isCompletedWithValueMatching(stamp -> stamp != Gate.REFUSED);
    }

    @Test
    void a_second_exit_does_nothing_also_after_a_wait() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(2));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        List<Long> stamps = driver.enter(2);
        CompletableFuture<Long> waited = queue(bulkhead, Criticality.CRITICAL);
        driver.exit(stamps.get(0), Verdict.SUCCESS);
        driver.exit(stamps.get(0), Verdict.SUCCESS);
        assertThat(bulkhead.inFlight()).isEqualTo(2);
        driver.exit(waited.join(), Verdict.SUCCESS);
        driver.exit(waited.join(), Verdict.SUCCESS);
        assertThat(bulkhead.inFlight()).isEqualTo(1);
    }

    @Test
    void a_number_that_is_set_holds_until_other_bounds_are_given() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(10));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        bulkhead.setMaxConcurrent(5);
        assertThat(bulkhead.maxConcurrent()).isEqualTo(5);
        driver.call(Duration.ofMillis(1), Verdict.THROTTLED);
        driver.rounds(100, 20, inFlight -> 10);
        assertThat(bulkhead.maxConcurrent()).isEqualTo(5);
        bulkhead.reconfigure(AdaptiveBulkheadConfig.builder().build());
        driver.rounds(100, 50, inFlight -> 10);
        assertThat(bulkhead.maxConcurrent()).isGreaterThan(5);
    }

    @Test
    void metrics_are_those_of_both() {
        SheddingBulkhead bulkhead = bulkhead(limit -> limit.initialLimit(10));
        new LimitDriver(time, bulkhead).call(Duration.ofMillis(1), Verdict.THROTTLED);
        Map<String, Double> values = new HashMap<>();
        bulkhead.measure((policy, metric, value) -> values.put(policy + " " + metric, value));
        assertThat(values)
                .containsEntry("orders bulkhead.limit", 9.0)
                .containsEntry("orders bulkhead.waiting", 0.0)
                .containsEntry("orders bulkhead.drops", 1.0)
                .containsEntry("orders bulkhead.refused.late", 0.0)
                .containsKey("orders bulkhead.held.long");
    }

    @Test
    void what_is_wrong_with_settings_is_named() {
        assertThatThrownBy(() -> bulkhead(limit -> limit.partition("live", 0.5)))
                .hasMessage("bulkhead \"orders\": partitions must be none, because the queue goes by criticality, but"
                        + " were [live]");
        assertThatThrownBy(() -> SheddingBulkhead.of(
                        "orders", config -> config.adaptive(limit -> {}).maxConcurrent(9)))
                .hasMessage("bulkhead \"orders\": maxConcurrent must not be set beside adaptive, which begins at its"
                        + " initialLimit, but was 9");
        assertThatThrownBy(() -> bulkhead(limit -> limit.minLimit(0)))
                .hasMessage("bulkhead \"orders\": minLimit must be from 1 to 65536, but was 0");
        assertThatThrownBy(() -> bulkhead(limit -> {}).setMaxConcurrent(0))
                .isInstanceOf(IllegalArgumentException.class);
        AdaptiveBulkheadConfig other = AdaptiveBulkheadConfig.builder().build();
        assertThatThrownBy(() -> SheddingBulkhead.of("fixed", 4).reconfigure(other))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("bulkhead \"fixed\" does not find its limit by itself");
    }

    @Test
    void copied_settings_are_the_same() {
        SheddingBulkheadConfig config = SheddingBulkheadConfig.builder()
                .adaptive(limit -> limit.initialLimit(30))
                .maxWaiting(7)
                .build();
        SheddingBulkheadConfig copy =
                config.toBuilder().adaptive(limit -> limit.maxLimit(300)).build();
        assertThat(copy.maxConcurrent()).isEqualTo(30);
        assertThat(copy.adaptive())
                .hasValueSatisfying(limit -> assertThat(limit.maxLimit()).isEqualTo(300));
        assertThat(copy.maxWaiting()).isEqualTo(7);
    }

    /**
     * Twice the capacity, a fifth of it critical, on a server of 8 calls at once whose calls take as much longer as
     * there are more. The shedder stands outside, as documented.
     */
    @Test
    void critical_calls_are_served_at_twice_the_capacity() {
        SheddingBulkhead bulkhead = bulkhead(limit -> {});
        PriorityShedder shedder = PriorityShedder.of("front", bulkhead, time.environment());
        for (Pipeline guard : List.of(Pipeline.of(bulkhead), Pipeline.of(shedder, bulkhead))) {
            int[] calls = new int[2];
            int[] served = new int[2];
            List<CompletableFuture<Void>> inFlight = new ArrayList<>();
            double done = 0;
            for (int tick = 0; tick < 60_000; tick++) { // 8 calls of 10 ms are 0.8 a tick of 1 ms
                for (int call = 0; call < (tick % 5 < 3 ? 2 : 1); call++) {
                    boolean critical = (tick + call) % 5 == 0;
                    calls[critical ? 0 : 1]++;
                    CallContext.current()
                            .withCriticality(critical ? Criticality.CRITICAL : Criticality.SHEDDABLE)
                            .run(() -> guard.callAsync(() -> {
                                        CompletableFuture<Void> work = new CompletableFuture<>();
                                        inFlight.add(work);
                                        return work;
                                    })
                                    .thenRun(() -> served[critical ? 0 : 1]++));
                }
                time.advance(Duration.ofMillis(1));
                for (done += Math.min(inFlight.size(), 8) / 10.0; done >= 1 && !inFlight.isEmpty(); done--) {
                    inFlight.remove(0).complete(null);
                }
            }
            assertThat(served[0] / (double) calls[0]).as("critical").isGreaterThan(0.99);
            assertThat((served[0] + served[1]) / (60_000 * 0.8)).as("goodput").isGreaterThan(0.95);
            new ArrayList<>(inFlight).forEach(work -> work.complete(null));
            time.advance(Duration.ofSeconds(30));
        }
    }

    @Test
    @Tag("allocation")
    void a_call_allocates_nothing() {
        SheddingBulkhead bulkhead = SheddingBulkhead.of("b", config -> config.adaptive(limit -> {}));
        Operation<String, RuntimeException> work = () -> "done";
        assertThat(AllocatedBytes.of(() -> bulkhead.call(work))).isLessThan(64 * 1024);
    }
}
