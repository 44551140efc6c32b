package dev.levee.core.policy;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.levee.core.CallContext;
import dev.levee.core.CapturedLog;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class FaultsTest {
    private static final Fault FAILURE = Fault.failure(() -> new IOException("rehearsed"));

    private final ManualTime time = new ManualTime();
    private final RecordingListener heard = new RecordingListener();
    private final Environment environment =
            time.environment().toBuilder().listener(heard).build();

    private Faults faults(Fault... faults) {
        return Faults.of("f", 7, environment, faults);
    }

    private Faults on(Fault... faults) {
        Faults policy = faults(faults);
        policy.switchOn();
        return policy;
    }

    private static boolean fails(Policy policy) {
        return catchThrowable(() -> policy.call(() -> "yes")) != null;
    }

    private static String pattern(Policy policy, int calls) {
        StringBuilder pattern = new StringBuilder();
        for (int i = 0; i < calls; i++) {
            pattern.append(fails(policy) ? 'x' : '.');
        }
        return pattern.toString();
    }

    private static Map<String, Double> metrics(Faults faults) {
        Map<String, Double> all = new HashMap<>();
        faults.measure((policy, metric, value) -> all.put(metric, value));
        return all;
    }

    private static Throwable failureOf(CompletableFuture<?> future) {
        assertThat(future).isDone();
        return FutureWait.failureOf(future);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        time.runReady();
        assertThat(time.pendingTimers()).isZero();
        assertThat(time.sleepers()).isZero();
    }

    @Nested
    class TheSwitch {
        @Test
        void is_off_by_default() {
            Faults faults = faults(FAILURE);
            assertThat(faults.isOn()).isFalse();
            assertThat(fails(faults)).isFalse();
            assertThat(metrics(faults)).containsEntry("faults.on", 0.0).containsEntry("faults.failure", 0.0);
        }

        @Test
        void is_seen_by_metrics_and_listeners() {
            Faults faults = on(FAILURE);
            assertThat(fails(faults)).isTrue();
            assertThat(metrics(faults)).containsEntry("faults.on", 1.0).containsEntry("faults.failure", 1.0);
            faults.switchOff();
            faults.switchOff();
            assertThat(fails(faults)).isFalse();
            assertThat(heard.events()).containsExactly("faults f OFF->ON", "faults f ON->OFF");
        }

        @Test
        void logs_one_warning_when_it_is_switched_on() {
            try (CapturedLog log = new CapturedLog(Faults.class)) {
                Faults faults = faults(FAILURE);
                assertThat(log.lines()).isEmpty();
                faults.switchOn();
                faults.switchOn();
                assertThat(log.lines()).hasSize(1);
                assertThat(log.lines().get(0)).startsWith("WARN faults \"f\" are ON");
            }
        }

        @Test
        void goes_off_by_itself_after_the_longest_time() {
            Faults faults = faults(FAILURE);
            faults.switchOn(ofMinutes(1));
            time.advance(ofMinutes(1).minusNanos(1));
            assertThat(fails(faults)).isTrue();
            time.advance(Duration.ofNanos(1));
            assertThat(fails(faults)).isFalse();
            assertThat(heard.events()).containsExactly("faults f OFF->ON", "faults f ON->OFF");
        }

        @Test
        void prints_itself_in_a_pipeline() {
            assertThat(Pipeline.of(faults())).hasToString("faults(call)");
            assertThat(on()).hasToString("faults \"f\" ON");
        }
    }

    @Nested
    class WhichCalls {
        @Property(tries = 50)
        void a_rate_hits_its_share(@ForAll @DoubleRange(min = 0.01, max = 1) double rate, @ForAll long seed) {
            Faults faults = Faults.of("f", seed, environment, FAILURE.rate(rate));
            faults.switchOn();
            int calls = 4_000;
            for (int i = 0; i < calls; i++) {
                fails(faults);
            }
            double expected = rate * calls;
            double sixSigma = 6 * Math.sqrt(calls * rate * (1 - rate)) + 1;
            assertThat(metrics(faults).get("faults.failure")).isBetween(expected - sixSigma, expected + sixSigma);
        }

        @Test
        void are_the_same_for_the_same_seed_and_others_for_another() {
            Faults faults = on(FAILURE.rate(0.5));
            String first = pattern(faults, 64);
            faults.switchOff();
            faults.switchOn();
            assertThat(pattern(faults, 64)).isEqualTo(first).contains("x", ".");
            Faults other = Faults.of("f", 8, environment, FAILURE.rate(0.5));
            other.switchOn();
            assertThat(pattern(other, 64)).isNotEqualTo(first);
        }

        @Test
        void may_be_those_for_some_keys() {
            String[] tenant = new String[1];
            Faults faults = on(FAILURE.forKeys(() -> tenant[0], "acme"::equals));
            tenant[0] = "acme";
            assertThat(fails(faults)).isTrue();
            tenant[0] = "other";
            assertThat(fails(faults)).isFalse();
        }

        @Test
        void are_not_those_whose_key_cannot_be_determined() {
            Faults faults = on(FAILURE.forKeys(
                    () -> {
                        throw new IllegalStateException("no tenant");
                    },
                    key -> true));
            assertThat(fails(faults)).isFalse();
        }

        @Test
        void may_be_those_of_one_span_of_time() {
            Faults faults = on(FAILURE.during(ofSeconds(2), ofSeconds(2)));
            assertThat(perSecond(faults, 6)).isEqualTo("..xx..");
        }

        @Test
        void may_be_those_of_a_part_of_each_period() {
            Faults faults = on(FAILURE.every(ofSeconds(3), ofSeconds(1)));
            assertThat(perSecond(faults, 7)).isEqualTo("x..x..x");
            Faults later = on(FAILURE.during(ofSeconds(1), ofSeconds(9)).every(ofSeconds(3), ofSeconds(1)));
            assertThat(perSecond(later, 6)).isEqualTo(".x..x.");
        }

        @Test
        void may_be_those_of_a_part_of_each_period_within_one_span_of_time() {
            Fault outage = FAILURE.during(ofSeconds(5), ofSeconds(5)).every(ofSeconds(3), ofSeconds(1));
            assertThat(perSecond(on(outage), 14)).isEqualTo(".....x..x.....");
            Fault theOtherWayRound = FAILURE.every(ofSeconds(3), ofSeconds(1)).during(ofSeconds(5), ofSeconds(5));
            assertThat(perSecond(on(theOtherWayRound), 14)).isEqualTo(".....x..x.....");
        }

        private String perSecond(Faults faults, int seconds) {
            StringBuilder pattern = new StringBuilder();
            for (int i = 0; i < seconds; i++) {
                pattern.append(pattern(faults, 1));
                time.advance(ofSeconds(1));
            }
            return pattern.toString();
        }
    }

    @Nested
    class Blocking {
        private final List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());

        private Thread call(Policy policy) {
            return time.start(() -> {
                try {
                    outcomes.add(policy.call(() -> "yes"));
                } catch (Throwable thrown) {
                    outcomes.add(thrown);
                }
                outcomes.add(Thread.currentThread().isInterrupted());
            });
        }

        @Test
        void failures_and_results_take_the_place_of_the_operation() {
            assertThatThrownBy(() -> on(FAILURE).call(() -> "yes"))
                    .isInstanceOf(IOException.class)
                    .hasMessage("rehearsed");
            assertThat(on(Fault.result(() -> "no")).<String, RuntimeException>call(() -> "yes"))
                    .isEqualTo("no");
        }

        @Test
        void latencies_add_up_and_come_before_the_answer() {
            Faults faults = on(
                    Fault.latency(ofMillis(300)),
                    Fault.latency(ofMillis(100), ofMillis(200)),
                    Fault.result(() -> "no"),
                    FAILURE);
            call(faults);
            time.advance(ofMillis(399));
            assertThat(outcomes).isEmpty();
            assertThat(metrics(faults)).containsEntry("faults.waiting", 1.0);
            time.advance(ofMillis(101));
            assertThat(outcomes).containsExactly("no", false);
            assertThat(metrics(faults))
                    .containsEntry("faults.latency", 2.0)
                    .containsEntry("faults.result", 1.0)
                    .containsEntry("faults.failure", 0.0);
        }

        @Test
        void the_kill_switch_releases_calls_that_wait() {
            Faults faults = on(Fault.hang());
            call(faults);
            time.advance(ofMinutes(5));
            assertThat(outcomes).isEmpty();
            faults.switchOff();
            time.runReady();
            assertThat(outcomes).containsExactly("yes", false);
        }

        @Test
        void the_longest_time_does_too() {
            Faults faults = faults(Fault.latency(ofMinutes(9)), FAILURE);
            faults.switchOn(ofSeconds(5));
            call(faults);
            time.advance(ofSeconds(5));
            assertThat(outcomes).containsExactly("yes", false);
        }

        @Test
        void an_interrupt_ends_a_wait() {
            Thread caller = call(on(Fault.hang()));
            time.runReady();
            caller.interrupt();
            time.runReady();
            assertThat(outcomes.get(0)).isInstanceOf(CancellationException.class);
            assertThat(outcomes.get(1)).isEqualTo(true);
        }

        @Test
        void a_timeout_outside_ends_a_wait() {
            call(Pipeline.of(Timeout.of("t", ofSeconds(1), environment), on(Fault.hang())));
            time.advance(ofSeconds(1));
            assertThat(outcomes.get(0)).isInstanceOf(TimedOutException.class);
            assertThat(outcomes.get(1)).isEqualTo(false);
        }

        @Test
        void the_deadline_ends_a_call_that_hangs() {
            Faults faults = on(Fault.hang());
            Deadline deadline = Deadline.after(ofSeconds(1), environment.clock());
            time.start(() -> outcomes.add(catchThrowable(
                    () -> CallContext.current().withDeadline(deadline).call(() -> faults.call(() -> "yes")))));
            time.advance(ofSeconds(1));
            assertThat(outcomes.get(0)).isInstanceOf(TimedOutException.class);
        }
    }

    @Nested
    class Asynchronous {
        private final CompletableFuture<String> work = new CompletableFuture<>();

        @Test
        void failures_and_results_take_the_place_of_the_operation() {
            assertThat(failureOf(on(FAILURE).callAsync(() -> work))).hasMessage("rehearsed");
            assertThat(on(Fault.result(() -> "no")).callAsync(() -> work)).isCompletedWithValue("no");
        }

        @Test
        void a_clock_that_is_coarser_than_the_timers_delays_a_call_and_does_not_hold_it_for_ever() {
            Environment coarse = environment.toBuilder()
                    .clock(() -> time.nanoTime() / 10_000_000 * 10_000_000)
                    .build();
            Faults faults = Faults.of("f", 7, coarse, Fault.latency(ofMillis(15)));
            faults.switchOn();
            CompletableFuture<String> future = faults.callAsync(() -> CompletableFuture.completedFuture("yes"));
            time.advance(ofSeconds(1));
            assertThat(future).isCompletedWithValue("yes");
            assertThat(time.pendingTimers()).isZero();
        }

        @Test
        void latency_delays_the_start_without_a_thread() {
            List<String> started = new ArrayList<>();
            CompletableFuture<String> future = on(Fault.latency(ofSeconds(1))).callAsync(() -> {
                started.add("x");
                return work;
            });
            time.advance(ofMillis(999));
            assertThat(started).isEmpty();
            time.advance(ofMillis(1));
            assertThat(started).hasSize(1);
            work.complete("yes");
            assertThat(future).isCompletedWithValue("yes");
        }

        @Test
        void a_cancel_ends_a_wait() {
            Faults faults = on(Fault.hang());
            CompletableFuture<String> future = faults.callAsync(() -> work);
            assertThat(metrics(faults)).containsEntry("faults.waiting", 1.0);
            future.cancel(true);
            assertThat(metrics(faults)).containsEntry("faults.waiting", 0.0);
        }

        @Test
        void a_timeout_outside_ends_a_wait() {
            Faults faults = on(Fault.hang());
            CompletableFuture<String> future = Pipeline.of(Timeout.of("t", ofSeconds(1), environment), faults)
                    .callAsync(() -> work);
            time.advance(ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
            assertThat(metrics(faults)).containsEntry("faults.waiting", 0.0);
        }

        @Test
        void a_future_that_is_completed_from_outside_waits_no_more() {
            Faults faults = on(Fault.latency(ofSeconds(1)));
            faults.callAsync(() -> work).complete("by completeOnTimeout or its like");
            assertThat(time.pendingTimers()).isZero();
            assertThat(metrics(faults)).containsEntry("faults.waiting", 0.0);
        }

        @Test
        void the_deadline_ends_a_call_that_hangs() {
            Deadline deadline = Deadline.after(ofSeconds(1), environment.clock());
            CompletableFuture<String> future = CallContext.current()
                    .withDeadline(deadline)
                    .call(() -> on(Fault.hang()).callAsync(() -> work));
            time.advance(ofSeconds(1));
            assertThat(failureOf(future)).isInstanceOf(TimedOutException.class);
        }

        @Test
        void the_kill_switch_and_the_longest_time_release_calls_that_wait() {
            Faults faults = faults(Fault.hang());
            faults.switchOn(ofSeconds(9));
            CompletableFuture<String> first = faults.callAsync(() -> CompletableFuture.completedFuture("yes"));
            time.advance(ofSeconds(9));
            assertThat(first).isCompletedWithValue("yes");
            faults.switchOn();
            CompletableFuture<String> second = faults.callAsync(() -> CompletableFuture.completedFuture("yes"));
            faults.switchOff();
            time.runReady();
            assertThat(second).isCompletedWithValue("yes");
        }
    }

    @Nested
    class Settings {
        @Test
        void are_refused_with_name_bound_and_value() {
            assertThatThrownBy(() -> FAILURE.rate(0)).hasMessage("rate must be more than 0 and at most 1, but was 0.0");
            assertThatThrownBy(() -> FAILURE.every(ofSeconds(1), ofSeconds(2)))
                    .hasMessage("length must be at most period 1s, but was 2s");
            assertThatThrownBy(() -> Fault.latency(ofSeconds(2), ofSeconds(1)))
                    .hasMessage("max must be at least min 2s, but was 1s");
        }
    }
}
