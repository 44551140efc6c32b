package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.levee.core.CapturedLog;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AdaptiveBulkheadTest {
    private final ManualTime time = new ManualTime();

    private AdaptiveBulkhead bulkhead(Consumer<AdaptiveBulkheadConfig.Builder> settings) {
        return AdaptiveBulkhead.of("orders", settings, time.environment());
    }

    @Test
    void as_many_calls_as_the_limit_are_admitted_and_no_more() {
        AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(7));
        assertThat(new LimitDriver(time, bulkhead).enter(100)).hasSize(7);
        assertThat(bulkhead.inFlight()).isEqualTo(7);
        assertThatThrownBy(() -> bulkhead.run(() -> {}))
                .isInstanceOf(AdaptiveBulkheadFullException.class)
                .hasMessage("bulkhead \"orders\" is full: 7 calls in flight, limit 7");
        assertThat(bulkhead.refusal().detached().getMessage())
                .isEqualTo("bulkhead \"orders\" is full: 7 calls in flight, limit 7");
    }

    @Test
    void a_second_exit_does_nothing_whatever_was_admitted_since() {
        AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(4));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        long first = driver.enter(1).get(0);
        driver.exit(first, Verdict.SUCCESS);
        List<Long> others = driver.enter(4);
        driver.exit(first, Verdict.SUCCESS);
        driver.exit(first, Verdict.THROTTLED);
        bulkhead.cancel(first, 0);
        assertThat(bulkhead.inFlight()).isEqualTo(4);
        assertThat(bulkhead.limit()).isEqualTo(4);
        assertThat(driver.enter(1)).isEmpty();
        others.forEach(stamp -> driver.exit(stamp, Verdict.SUCCESS));
        assertThat(bulkhead.inFlight()).isZero();
    }

    @Test
    void a_stamp_that_was_never_given_does_nothing() {
        AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(4));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        driver.enter(2);
        for (long stamp : new long[] {0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40}) {
            driver.exit(stamp, Verdict.SUCCESS);
        }
        assertThat(bulkhead.inFlight()).isEqualTo(2);
    }

    @Test
    void after_the_limit_was_lowered_none_is_admitted_until_as_many_have_ended() {
        AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(10));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        List<Long> stamps = driver.enter(10);
        time.advance(Duration.ofMillis(1));
        driver.exit(stamps.get(0), Verdict.THROTTLED);
        assertThat(bulkhead.limit()).isEqualTo(9);
        assertThat(driver.enter(1)).isEmpty();
        driver.exit(stamps.get(1), Verdict.SUCCESS);
        assertThat(driver.enter(5)).hasSize(1);
    }

    @Test
    void a_call_and_a_refusal_allocate_nothing() {
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of("orders", config -> config.initialLimit(2));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Runnable calls = () -> {
            long one = bulkhead.tryEnter(0);
            long other = bulkhead.tryEnter(0);
            if (bulkhead.tryEnter(0) != Gate.REFUSED && bulkhead.limit() == 2) {
                throw new AssertionError("admitted");
            }
            bulkhead.exit(one, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
            bulkhead.exit(other, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
        };
        for (int i = 0; i < 100_000; i++) {
            calls.run();
        }
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100_000; i++) {
            calls.run();
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(16_384);
    }

    @Test
    void metrics_say_what_it_knows() {
        AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(10));
        LimitDriver driver = new LimitDriver(time, bulkhead);
        driver.call(Duration.ofMillis(1), Verdict.THROTTLED);
        driver.enter(2);
        time.advance(Duration.ofMillis(3));
        Map<String, Double> values = new HashMap<>();
        bulkhead.measure((policy, metric, value) -> values.put(policy + " " + metric, value));
        assertThat(values)
                .containsEntry("orders bulkhead.limit", 9.0)
                .containsEntry("orders bulkhead.in.flight", 2.0)
                .containsEntry("orders bulkhead.drops", 1.0)
                .containsEntry("orders bulkhead.held.long", 0.0)
                .containsEntry("orders bulkhead.held.longest.nanos", 3e6)
                .containsKey("orders bulkhead.baseline.nanos");
    }

    @Test
    void settings_out_of_range_are_named() {
        assertThatThrownBy(() -> bulkhead(config -> config.minLimit(0)))
                .hasMessage("bulkhead \"orders\": minLimit must be from 1 to 65536, but was 0");
        assertThatThrownBy(() -> bulkhead(config -> config.minLimit(30).initialLimit(20)))
                .hasMessage("bulkhead \"orders\": initialLimit must be from 30 to 1000, but was 20");
        assertThatThrownBy(() -> bulkhead(config -> config.maxLimit(10)))
                .hasMessage("bulkhead \"orders\": initialLimit must be from 2 to 10, but was 20");
        assertThatThrownBy(() -> bulkhead(config -> config.maxLimit(70_000)))
                .hasMessage("bulkhead \"orders\": maxLimit must be from 1 to 65536, but was 70000");
        assertThatThrownBy(() -> bulkhead(config -> config.heldTooLong(Duration.ZERO)))
                .hasMessage("bulkhead \"orders\": heldTooLong must be more than zero, but was 0s");
        assertThatThrownBy(() -> AdaptiveBulkhead.of(" ")).isInstanceOf(IllegalArgumentException.class);
    }

    @Nested
    class PermitsThatAreHeldTooLong {
        private final AdaptiveBulkhead bulkhead = bulkhead(config -> config.heldTooLong(Duration.ofMinutes(1)));
        private final LimitDriver driver = new LimitDriver(time, bulkhead);

        @Test
        void are_counted_with_their_age_and_told_in_the_log() {
            List<Long> kept = driver.enter(3);
            time.advance(Duration.ofSeconds(61));
            try (CapturedLog log = new CapturedLog(AdaptiveBulkhead.class)) {
                driver.call(Duration.ofMillis(1), Verdict.SUCCESS);
                assertThat(log.lines()).singleElement().asString().contains("\"orders\": 3 permits", "PT1M1.001S");
                driver.call(Duration.ofMillis(1), Verdict.SUCCESS);
                assertThat(log.lines()).hasSize(1);
            }
            assertThat(bulkhead.heldTooLong()).isEqualTo(3);
            kept.forEach(stamp -> driver.exit(stamp, Verdict.IGNORED));
            assertThat(bulkhead.heldTooLong()).isZero();
        }

        @Test
        void are_told_though_all_calls_are_refused() {
            driver.enter(20);
            time.advance(Duration.ofMinutes(2));
            try (CapturedLog log = new CapturedLog(AdaptiveBulkhead.class)) {
                assertThat(driver.enter(300)).isEmpty();
                assertThat(log.lines()).singleElement().asString().contains("20 permits");
            }
        }

        @Test
        void are_found_also_among_calls_that_are_not_timed() {
            AdaptiveBulkhead busy = AdaptiveBulkhead.of(
                    "busy", config -> config.heldTooLong(Duration.ofMinutes(1)).initialLimit(1000), time.environment());
            LimitDriver calls = new LimitDriver(time, busy);
            calls.rounds(200, 900, inFlight -> 1);
            List<Long> kept = calls.enter(100);
            time.advance(Duration.ofSeconds(61));
            assertThat(busy.heldTooLong()).isEqualTo(kept.size()).isPositive();
        }
    }

    @Nested
    class ALiveChange {
        private final AdaptiveBulkhead bulkhead = bulkhead(config -> config.initialLimit(20));
        private final LimitDriver driver = new LimitDriver(time, bulkhead);

        private void change(Consumer<AdaptiveBulkheadConfig.Builder> settings) {
            AdaptiveBulkheadConfig.Builder builder = bulkhead.config().toBuilder();
            settings.accept(builder);
            bulkhead.reconfigure(builder.build());
        }

        @Test
        void of_the_highest_limit_holds_from_the_next_call_on() {
            List<Long> stamps = driver.enter(15);
            change(config -> config.maxLimit(8).initialLimit(8));
            assertThat(bulkhead.limit()).isEqualTo(8);
            assertThat(driver.enter(1)).isEmpty();
            stamps.subList(0, 8).forEach(stamp -> driver.exit(stamp, Verdict.IGNORED));
            assertThat(driver.enter(5)).hasSize(1);
        }

        @Test
        void of_the_least_limit_lets_calls_in_at_once() {
            assertThat(driver.enter(100)).hasSize(20);
            change(config -> config.minLimit(50).initialLimit(50));
            assertThat(driver.enter(100)).hasSize(30);
        }

        /** The first table has 16 places; all stamps are given back, also those of before. */
        @Test
        void to_a_limit_that_needs_more_places_keeps_all_stamps() {
            AdaptiveBulkhead small = bulkhead(config -> config.initialLimit(8).maxLimit(8));
            LimitDriver calls = new LimitDriver(time, small);
            List<Long> stamps = new ArrayList<>(calls.enter(8));
            small.reconfigure(small.config().toBuilder()
                    .maxLimit(10_000)
                    .minLimit(10_000)
                    .initialLimit(10_000)
                    .build());
            stamps.addAll(calls.enter(20_000));
            assertThat(stamps).hasSize(10_000).doesNotHaveDuplicates();
            stamps.forEach(stamp -> calls.exit(stamp, Verdict.IGNORED));
            stamps.forEach(stamp -> calls.exit(stamp, Verdict.IGNORED));
            assertThat(small.inFlight()).isZero();
            assertThat(small.heldTooLong()).isZero();
        }

        @Test
        void of_the_algorithm_goes_on_from_where_the_limit_is() {
            driver.call(Duration.ofMillis(1), Verdict.THROTTLED);
            assertThat(bulkhead.limit()).isEqualTo(18);
            change(config -> config.limit(ConcurrencyLimit.aimd()));
            assertThat(bulkhead.limit()).isEqualTo(18);
            driver.rounds(10, 18, inFlight -> 1);
            assertThat(bulkhead.limit()).isGreaterThan(18);
        }

        @Test
        void of_what_is_too_long_is_seen_at_once() {
            driver.enter(3);
            time.advance(Duration.ofSeconds(2));
            assertThat(bulkhead.heldTooLong()).isZero();
            change(config -> config.heldTooLong(Duration.ofSeconds(1)));
            assertThat(bulkhead.heldTooLong()).isEqualTo(3);
        }

        @Test
        void of_the_rule_for_outcomes_is_refused() {
            assertThatThrownBy(() -> change(config -> config.outcomes((result, error) -> Verdict.SUCCESS)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("outcomes must stay ");
        }

        @Test
        void while_calls_come_never_admits_more_than_the_highest_of_both_limits() throws Exception {
            AtomicInteger inFlight = new AtomicInteger();
            AtomicInteger most = new AtomicInteger();
            AdaptiveBulkhead busy = AdaptiveBulkhead.of(
                    "busy",
                    config -> config.minLimit(4).initialLimit(4).maxLimit(4).partition("a", 0.5));
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Gate gate = i % 2 == 0 ? busy.partition("a") : busy;
                Thread thread = new Thread(() -> {
                    for (int call = 0; call < 5_000; call++) {
                        long stamp = gate.tryEnter(0);
                        if (stamp != Gate.REFUSED) {
                            most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
                            inFlight.decrementAndGet();
                            gate.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
                        }
                    }
                });
                threads.add(thread);
                thread.start();
            }
            for (int change = 0; change < 200; change++) {
                int limit = 2 + change % 5;
                busy.reconfigure(busy.config().toBuilder()
                        .minLimit(limit)
                        .initialLimit(limit)
                        .maxLimit(limit)
                        .share("a", 0.1 + change % 9 / 10.0)
                        .build());
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(most.get()).isBetween(1, 6);
            assertThat(busy.inFlight()).isZero();
        }
    }

    @Nested
    class Partitions {
        private final AdaptiveBulkhead bulkhead = bulkhead(
                config -> config.initialLimit(20).partition("live", 0.75).partition("batch", 0.25));
        private final Gate live = bulkhead.partition("live");
        private final Gate batch = bulkhead.partition("batch");

        @Test
        void together_have_no_more_than_the_limit() {
            assertThat(new LimitDriver(time, live).enter(100)).hasSize(15);
            assertThat(new LimitDriver(time, batch).enter(100)).hasSize(5);
            assertThat(new LimitDriver(time, bulkhead).enter(1)).isEmpty();
            assertThat(bulkhead.inFlight()).isEqualTo(20);
        }

        @Test
        void have_their_share_though_another_one_takes_all_it_gets() {
            new LimitDriver(time, batch).enter(100);
            assertThat(new LimitDriver(time, live).enter(100)).hasSize(15);
        }

        @Test
        void lend_what_they_have_not_needed_lately_and_get_it_back_when_it_ends() {
            LimitDriver calls = new LimitDriver(time, batch);
            calls.rounds(2_000, 100, inFlight -> 10);
            List<Long> lent = calls.enter(1_000);
            assertThat(lent).hasSizeGreaterThan(bulkhead.limit() / 2);
            LimitDriver others = new LimitDriver(time, live);
            assertThat(others.enter(1)).isEmpty();
            lent.forEach(stamp -> calls.exit(stamp, Verdict.IGNORED));
            assertThat(calls.enter(1_000)).as("nothing more is lent").hasSizeBetween(1, bulkhead.limit() / 4 + 1);
            assertThat(others.enter(1_000)).hasSizeGreaterThanOrEqualTo(bulkhead.limit() * 3 / 4 - 1);
            assertThat(bulkhead.inFlight()).isEqualTo(bulkhead.limit());
        }

        @Test
        void a_call_of_no_partition_takes_what_is_not_kept() {
            AdaptiveBulkhead open = bulkhead(config -> config.initialLimit(20).partition("live", 0.75));
            assertThat(new LimitDriver(time, open).enter(100)).hasSize(5);
            assertThat(new LimitDriver(time, open.partition("live")).enter(100)).hasSize(15);
        }

        @Test
        void a_refusal_names_the_partition() {
            new LimitDriver(time, batch).enter(100);
            assertThatThrownBy(() -> batch.run(() -> {}))
                    .hasMessage("bulkhead \"orders.batch\" is full: of its permits 5 of 5 are in use; in all 5 of 20"
                            + " are in use, free for others: 15 of \"orders.live\"");
            assertThat(((Policy) batch).name()).isEqualTo("orders.batch");
        }

        @Test
        void a_refusal_of_a_call_of_no_partition_says_for_which_the_free_permits_are() {
            AdaptiveBulkhead small = bulkhead(
                    config -> config.initialLimit(3).partition("live", 0.67).partition("batch", 0.33));
            assertThatThrownBy(() -> small.run(() -> {}))
                    .hasMessage("bulkhead \"orders\" is full: of the permits of no partition 0 of 0 are in use; in all"
                            + " 0 of 3 are in use, free for others: 2 of \"orders.live\", 1 of \"orders.batch\"");
        }

        @Test
        void a_refusal_says_which_permits_others_have_borrowed() {
            LimitDriver calls = new LimitDriver(time, batch);
            calls.rounds(2_000, 100, inFlight -> 10);
            calls.enter(1_000);
            assertThatThrownBy(() -> live.run(() -> {}))
                    .hasMessageMatching("bulkhead \"orders.live\" is full: of its permits (\\d+) of \\1 are in use"
                            + " \\(\\d+ lent\\); in all .*");
        }

        @Test
        void have_other_shares_from_a_change_on() {
            bulkhead.reconfigure(bulkhead.config().toBuilder()
                    .share("live", 0.2)
                    .share("batch", 0.3)
                    .minLimit(3)
                    .build());
            assertThat(bulkhead.limit()).isEqualTo(20);
            assertThat(new LimitDriver(time, live).enter(100))
                    .as("and what none has")
                    .hasSize(14);
            assertThat(new LimitDriver(time, batch).enter(100)).hasSize(6);
            assertThat(bulkhead.inFlight()).isEqualTo(20);
        }

        @Test
        void that_become_smaller_admit_none_until_enough_calls_have_ended() {
            LimitDriver calls = new LimitDriver(time, live);
            List<Long> stamps = calls.enter(100);
            bulkhead.reconfigure(bulkhead.config().toBuilder()
                    .share("live", 0.25)
                    .share("batch", 0.75)
                    .build());
            assertThat(new LimitDriver(time, batch).enter(100))
                    .as("5 of 20 are free")
                    .hasSize(5);
            stamps.subList(0, 8).forEach(stamp -> calls.exit(stamp, Verdict.IGNORED));
            assertThat(calls.enter(1)).as("7 are in flight, 5 may be").isEmpty();
            assertThat(new LimitDriver(time, batch).enter(100)).hasSize(8);
            assertThat(bulkhead.inFlight()).isEqualTo(20);
        }

        @Test
        void must_stay_the_same_ones() {
            assertThatThrownBy(() -> bulkhead.reconfigure(AdaptiveBulkheadConfig.builder()
                            .partition("live", 0.5)
                            .build()))
                    .hasMessage("partitions must stay [live, batch], but were [live]");
            assertThatThrownBy(() -> bulkhead.config().toBuilder().share("other", 0.5))
                    .hasMessage("partition \"other\" must be added before its share is changed");
        }

        @Test
        void settings_out_of_range_are_named() {
            assertThatThrownBy(() -> bulkhead.partition("none")).hasMessageContaining("no partition \"none\"");
            assertThatThrownBy(
                            () -> bulkhead(config -> config.partition("a", 0.6).partition("b", 0.6)))
                    .hasMessageContaining("shares of partitions must be at most 1 together, but were 1.2");
            assertThatThrownBy(() -> bulkhead(config -> config.partition("a", 0)))
                    .hasMessageContaining("share of partition \"a\" must be more than 0 and at most 1, but was 0.0");
            assertThatThrownBy(
                            () -> bulkhead(config -> config.partition("a", 0.1).partition("a", 0.1)))
                    .hasMessageContaining("partition \"a\" must be added once");
            assertThatThrownBy(() -> bulkhead(
                            config -> config.minLimit(1).partition("a", 0.5).partition("b", 0.5)))
                    .hasMessageContaining("minLimit of 2 partitions");
        }
    }

    @Test
    void threads_of_several_partitions_never_have_more_calls_in_flight_than_the_highest_limit() throws Exception {
        AdaptiveBulkhead bulkhead = AdaptiveBulkhead.of(
                "orders",
                config -> config.minLimit(4)
                        .initialLimit(6)
                        .maxLimit(6)
                        .partition("a", 0.4)
                        .partition("b", 0.4)
                        .partition("c", 0.2),
                Environment.system());
        AtomicInteger inFlight = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Gate gate = bulkhead.partition(List.of("a", "b", "c").get(i % 3));
            Verdict verdict = i == 11 ? Verdict.THROTTLED : Verdict.SUCCESS;
            Thread thread = new Thread(() -> {
                for (int call = 0; call < 5_000; call++) {
                    long stamp = gate.tryEnter(0);
                    if (stamp != Gate.REFUSED) {
                        int now = inFlight.incrementAndGet();
                        most.accumulateAndGet(now, Math::max);
                        Thread.onSpinWait();
                        inFlight.decrementAndGet();
                        gate.exit(stamp, 0, 0, verdict, RefusedException.UNKNOWN);
                        gate.exit(stamp, 0, 0, verdict, RefusedException.UNKNOWN);
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(most.get()).isBetween(1, 6);
        assertThat(bulkhead.inFlight()).isZero();
    }
}
