package dev.levee.ratelimit.concurrency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.CallContext;
import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.GateContract;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Readings;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.testing.ManualTime;
import dev.levee.core.testing.RecordingListener;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Throttling at the client: the published formula, what counts as request and accept, and the window. */
@SuppressWarnings({"CheckReturnValue", "RedundantControlFlow"})
class AdaptiveThrottleTest {
    private static final OutcomeRule RULE = OutcomeRule.standard()
            .onError(IllegalStateException.class, Verdict.THROTTLED)
            .onError(IllegalArgumentException.class, Verdict.FAILURE);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private AdaptiveThrottle throttle = AdaptiveThrottle.of("orders", c -> c.outcomes(RULE), environment);

    @Nested
    class AsAGate extends GateContract {
        @Override
        protected Gate newGate(Environment environment, OutcomeRule rule) {
            return AdaptiveThrottle.of("t", c -> c.outcomes(rule), environment);
        }

        @Override
        protected long held(Gate gate) {
            return 0; // it holds nothing
        }
    }

    /** Lets calls of the default criticality end, which have begun before. */
    private static void end(Gate gate, int calls, Verdict verdict, long now) {
        long stamp = AdaptiveThrottle.of("other").tryEnter(now);
        for (int call = 0; call < calls; call++) {
            gate.exit(stamp, now, now, verdict, RefusedException.UNKNOWN);
        }
    }

    private void end(int calls, Verdict verdict) {
        end(throttle, calls, verdict, time.nanoTime());
    }

    private double probability() {
        return throttle.refusalProbability(Criticality.CRITICAL);
    }

    @ParameterizedTest
    @CsvSource({
        "100, 40, 2, 20, 101", // the published example
        "100, 50, 2, 0, 1",
        "100, 100, 2, 0, 1",
        "0, 0, 2, 0, 1",
        "1, 0, 2, 1, 2",
        "100, 0, 2, 100, 101",
        "100, 40, 1.1, 56, 101",
        "100, 99, 1, 1, 101",
        "1000000000000, 0, 2, 1000000000000, 1000000000001"
    })
    void the_probability_is_that_of_the_source(long requests, long accepts, double k, double above, double below) {
        assertThat(WindowedThrottle.probability(requests, accepts, k)).isCloseTo(above / below, within(1e-12));
    }

    @Test
    void a_hundred_requests_of_which_forty_were_accepted() {
        end(40, Verdict.SUCCESS);
        end(60, Verdict.THROTTLED);
        assertThat(probability()).isEqualTo(20.0 / 101);
        assertThat(throttle.refusalProbability(Criticality.CRITICAL_PLUS))
                .as("another one")
                .isZero();
        assertThat(throttle.refusalProbability(Criticality.SHEDDABLE))
                .as("another one")
                .isZero();
    }

    @Test
    void each_criticality_is_throttled_by_its_own_figures() {
        CallContext sheddable = CallContext.current().withCriticality(Criticality.SHEDDABLE);
        for (int call = 0; call < 100; call++) {
            sheddable.run(() -> {
                var thrown = catchThrowable(() -> throttle.run(() -> {
                    throw new IllegalStateException("429");
                }));
                assertThat(thrown).isNotNull();
            });
            throttle.run(() -> {});
        }
        assertThat(throttle.refusalProbability(Criticality.SHEDDABLE)).isEqualTo(100.0 / 101);
        assertThat(probability()).isZero();
    }

    @Test
    void calls_in_flight_are_no_evidence() {
        for (int call = 0; call < 1_000; call++) {
            assertThat(throttle.tryEnter(time.nanoTime())).isNotEqualTo(Gate.REFUSED);
        }
    }

    @Test
    void calls_that_are_refused_here_count_as_requests() {
        int admitted = 0;
        for (int call = 0; call < 1_000; call++) {
            try {
                throttle.run(() -> {
                    throw new IllegalStateException("429");
                });
            } catch (ShedException refused) {
                assertThat(refused.reason()).isEqualTo(ShedReason.THROTTLED);
            } catch (IllegalStateException thrown) {
                admitted++;
            }
        }
        assertThat(throttle.refusalProbability(Criticality.CRITICAL)).isEqualTo(1_000.0 / 1_001);
        assertThat(admitted).as("about the harmonic sum of 1 to 1000").isBetween(2, 20);
    }

    @Test
    void a_dependency_with_room_for_a_quarter_gets_twice_as_many_as_it_accepts() {
        Deque<Long> lately = new ArrayDeque<>();
        int[] sent = new int[2];
        for (int call = 0; call < 60_000; call++) {
            time.advance(Duration.ofMillis(10)); // 100 a second, of which the dependency takes 25
            long now = time.nanoTime();
            int half = call / 30_000;
            try {
                throttle.run(() -> {
                    sent[half]++;
                    lately.removeIf(at -> now - at > 1_000_000_000L);
                    if (lately.size() == 25) {
                        throw new IllegalStateException("429");
                    }
                    lately.add(now);
                });
            } catch (IllegalStateException | ShedException refused) {
                // is not what this is about
            }
        }
        assertThat(sent[1] / 300.0).as("a second").isCloseTo(50, within(5.0));
    }

    @Test
    void what_is_an_accept() {
        throttle.run(() -> {});
        assertThat(catchThrowable(() -> throttle.run(() -> {
                    throw new IllegalArgumentException("a failure was accepted");
                })))
                .isNotNull();
        assertThat(throttle.refusalProbability(Criticality.CRITICAL)).isZero();
        for (Verdict verdict : Verdict.values()) {
            AdaptiveThrottle one = AdaptiveThrottle.of("t", environment);
            long stamp = one.tryEnter(time.nanoTime());
            one.exit(stamp, time.nanoTime(), time.nanoTime(), verdict, RefusedException.UNKNOWN);
            boolean accepted = verdict != Verdict.THROTTLED && verdict != Verdict.NOT_SENT;
            assertThat(one.refusalProbability(Criticality.CRITICAL))
                    .as(verdict.name())
                    .isEqualTo(accepted ? 0 : 0.5);
        }
    }

    @Test
    void a_call_that_is_refused_further_in_was_no_request() {
        Bulkhead full = Bulkhead.of("full", 1, environment);
        full.tryEnter(0);
        Pipeline pipeline = Pipeline.of(throttle, full);
        for (int call = 0; call < 100; call++) {
            assertThat(catchThrowable(() -> pipeline.run(() -> {}))).isInstanceOf(RefusedException.class);
        }
        assertThat(throttle.refusalProbability(Criticality.CRITICAL)).isZero();
    }

    @Test
    void counts_are_forgotten_after_the_window_and_not_before_eleven_twelfths_of_it() {
        end(100, Verdict.THROTTLED);
        time.advance(Duration.ofSeconds(110).minusNanos(1));
        assertThat(probability()).isEqualTo(100.0 / 101);
        time.advance(Duration.ofSeconds(10).plusNanos(1));
        assertThat(probability()).isZero();
    }

    @Property
    void the_window_is_that_of_a_list_of_calls(@ForAll long seed) {
        Random random = new Random(seed);
        ManualTime own = ManualTime.startingAt(random.nextInt(4) == 0 ? Long.MAX_VALUE - 60_000_000_000L : seed);
        AdaptiveThrottle one = AdaptiveThrottle.of("t", c -> c.multiplier(1), own.environment());
        Deque<long[]> counted = new ArrayDeque<>();
        long origin = own.nanoTime();
        for (int step = 0; step < 200; step++) {
            own.advance(Duration.ofMillis(random.nextInt(random.nextInt(20) == 0 ? 200_000 : 5_000)));
            long period = (own.nanoTime() - origin) / 10_000_000_000L;
            if (random.nextBoolean()) {
                end(one, 1, Verdict.THROTTLED, own.nanoTime());
                counted.add(new long[] {period, 1, 0});
            } else {
                end(one, 1, Verdict.SUCCESS, own.nanoTime());
                counted.add(new long[] {period, 1, 1});
            }
            counted.removeIf(it -> it[0] <= period - 12);
            long requests = counted.stream().mapToLong(it -> it[1]).sum();
            long accepts = counted.stream().mapToLong(it -> it[2]).sum();
            assertThat(one.refusalProbability(Criticality.CRITICAL))
                    .isEqualTo(WindowedThrottle.probability(requests, accepts, 1));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, -10_000_000_000L, -3_600_000_000_000L, Long.MIN_VALUE / 2})
    void time_that_stands_still_or_jumps_back_lets_no_call_pass(long jump) {
        AtomicLong clock = new AtomicLong(1_000);
        Environment hostile = environment.toBuilder().clock(clock::get).build();
        AdaptiveThrottle one = AdaptiveThrottle.of("t", hostile);
        end(one, 1_000, Verdict.THROTTLED, clock.get());
        clock.addAndGet(jump);
        assertThat(one.refusalProbability(Criticality.CRITICAL)).isEqualTo(1_000.0 / 1_001);
        end(one, 1, Verdict.THROTTLED, clock.get());
        assertThat(one.refusalProbability(Criticality.CRITICAL)).isEqualTo(1_001.0 / 1_002);
    }

    @Test
    void a_refusal_says_by_which_gate_and_why_and_when_to_come_back() {
        RecordingListener heard = new RecordingListener();
        throttle = AdaptiveThrottle.of(
                "orders", environment.toBuilder().listener(heard).build());
        end(999, Verdict.THROTTLED);
        RefusedException refused = null;
        while (refused == null) {
            refused = (RefusedException) catchThrowable(() -> throttle.run(() -> {}));
        }
        assertThat(refused)
                .isInstanceOf(ShedException.class)
                .hasMessage("shedder \"orders\" refused a call: the dependency accepts too few of the calls made"
                        + " lately");
        assertThat(refused.retryAfterNanos()).isBetween(9_800_000_000L, 10_000_000_000L);
        assertThat(heard.events()).anyMatch(event -> event.contains("refused"));
        Map<String, Double> figures = Readings.of(throttle);
        assertThat(figures)
                .containsOnlyKeys(
                        "throttle.refusal.probability.critical",
                        "throttle.refusal.probability.critical.plus",
                        "throttle.refusal.probability.sheddable",
                        "throttle.refusal.probability.sheddable.plus",
                        "throttle.refused");
        assertThat(figures.get("throttle.refused")).isPositive();
    }

    @Test
    void what_is_wrong_with_settings_is_named() {
        for (double value : new double[] {0, 0.99, -1, 1_001, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> AdaptiveThrottle.of("t", c -> c.multiplier(value)))
                    .hasMessage("shedder \"t\": multiplier must be from 1 to 1000, but was " + value);
        }
        assertThatThrownBy(() -> AdaptiveThrottle.of("t", c -> c.window(Duration.ofMillis(999))))
                .hasMessage("shedder \"t\": window must be from 1s to 1h, but was 999ms");
        assertThatThrownBy(() -> AdaptiveThrottle.of("t", c -> c.window(Duration.ofHours(2))))
                .hasMessageContaining("window must be from 1s to 1h");
        assertThatThrownBy(() -> AdaptiveThrottle.of("t", c -> c.outcomes(null)))
                .isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> throttle.refusalProbability(null)).hasMessage("criticality");
    }

    @Test
    @Tag("allocation")
    void a_call_allocates_nothing_admitted_or_refused() {
        AdaptiveThrottle system = AdaptiveThrottle.of("t");
        Operation<String, RuntimeException> work = () -> "done";
        AdaptiveThrottle refusing = AdaptiveThrottle.of("t", environment);
        end(refusing, 1_000, Verdict.THROTTLED, time.nanoTime());
        assertThat(AllocatedBytes.of(() -> {
                    system.call(work);
                    refusing.tryEnter(time.nanoTime());
                }))
                .isLessThan(64 * 1024);
    }
}
