package dev.levee.core.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.Policy;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ObjectiveTest {
    private static final long SLOT_NANOS = 100;
    private static final Duration SHORT = Duration.ofNanos(10 * SLOT_NANOS);

    private final List<String> events = new ArrayList<>();
    private final ManualTime time = new ManualTime();
    private final Environment environment = listening(time.environment());

    private Environment listening(Environment plain) {
        return plain.toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                        events.add(kind.label() + ' ' + policy + ": " + from + " to " + to);
                    }
                })
                .build();
    }

    private static CallMeter meter(Objective objective, Environment environment) {
        return CallMeter.of("m", config -> config.objective(objective), environment);
    }

    private static void callGood(CallMeter meter, int times) {
        for (int i = 0; i < times; i++) {
            meter.run(() -> {});
        }
    }

    private static void callBad(CallMeter meter, int times) {
        for (int i = 0; i < times; i++) {
            assertThatThrownBy(() -> meter.run(() -> {
                        throw new IllegalStateException();
                    }))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    /** What happens after a while: calls that end well and badly, or nothing but a look. */
    record Step(long afterNanos, int good, int bad, boolean looked) {}

    @Provide
    Arbitrary<Step> steps() {
        Arbitrary<Long> pauses = Arbitraries.oneOf(
                Arbitraries.longs().between(0, 3 * SLOT_NANOS),
                Arbitraries.of(SLOT_NANOS, SLOT_NANOS - 1, 10 * SLOT_NANOS, 100 * SLOT_NANOS),
                Arbitraries.longs().between(0, 60 * SLOT_NANOS));
        Arbitrary<Integer> some = Arbitraries.integers().between(0, 5);
        return Combinators.combine(pauses, some, some, Arbitraries.of(true, false))
                .as(Step::new);
    }

    /** The calls that have ended so far, each with its time: as plain as can be. */
    private static final class Model {
        final List<Long> good = new ArrayList<>();
        final List<Long> bad = new ArrayList<>();

        double burn(long now, int slots, double target) {
            long since = Math.max(0, now / SLOT_NANOS - slots) * SLOT_NANOS;
            long goods = good.stream().filter(at -> at >= since).count();
            long bads = bad.stream().filter(at -> at >= since).count();
            return goods + bads == 0 ? 0 : bads / (double) (goods + bads) / (1 - target);
        }
    }

    @Property(tries = 300)
    void burn_rates_and_events_are_those_of_a_plain_model(
            @ForAll @Size(max = 60) List<@From("steps") Step> history,
            @ForAll @IntRange(min = 1, max = 8) int longer,
            @ForAll @LongRange(min = Long.MAX_VALUE - 20_000) long origin) {
        ManualTime ownTime = ManualTime.startingAt(origin);
        double target = 0.75;
        double rate = 1.5;
        Objective objective =
                Objective.of(target).windows(SHORT.multipliedBy(longer), SHORT).burnRate(rate);
        events.clear();
        CallMeter meter = meter(objective, listening(ownTime.environment()));
        Model model = new Model();
        List<String> expected = new ArrayList<>();
        boolean burning = false;
        long now = 0;
        long judgedSlot = 0;
        for (Step step : history) {
            ownTime.advance(Duration.ofNanos(step.afterNanos()));
            now += step.afterNanos();
            boolean ticks = step.good() + step.bad() > 0 && now / SLOT_NANOS > judgedSlot;
            if (ticks) { // judged by the first call of a slot, before it is counted
                burning = judge(model, now, longer, target, rate, burning, expected);
                judgedSlot = now / SLOT_NANOS;
            }
            callGood(meter, step.good());
            callBad(meter, step.bad());
            for (int i = 0; i < step.good(); i++) {
                model.good.add(now);
            }
            for (int i = 0; i < step.bad(); i++) {
                model.bad.add(now);
            }
            if (step.looked()) {
                assertThat(meter.longBurn()).isCloseTo(model.burn(now, 10 * longer, target), within(1e-9));
                assertThat(meter.shortBurn()).isCloseTo(model.burn(now, 10, target), within(1e-9));
                burning = judge(model, now, longer, target, rate, burning, expected);
                judgedSlot = now / SLOT_NANOS;
                assertThat(meter.burnState()).isEqualTo(burning ? BurnState.BURNING : BurnState.OK);
            }
            assertThat(events).isEqualTo(expected);
        }
    }

    private static boolean judge(
            Model model, long now, int longer, double target, double rate, boolean before, List<String> expected) {
        boolean burns = model.burn(now, 10 * longer, target) >= rate && model.burn(now, 10, target) >= rate;
        if (burns != before) {
            expected.add(burns ? "meter m: ok to burning" : "meter m: burning to ok");
        }
        return burns;
    }

    @Test
    void a_success_that_is_too_slow_is_bad_and_a_success_all_the_same() {
        CallMeter meter = meter(Objective.of(0.9).within(Duration.ofMillis(300)), environment);
        meter.run(() -> time.advance(Duration.ofMillis(300)));
        meter.run(() -> time.advance(Duration.ofMillis(300).plusNanos(1)));
        assertThat(meter.ended(Ending.SUCCESS)).isEqualTo(2);
        assertThat(figures(meter))
                .containsEntry("objective.calls.good", 1.0)
                .containsEntry("objective.calls.bad", 1.0)
                .containsEntry("meter.calls.success", 2.0)
                .containsEntry("objective.target", 0.9);
        assertThat(meter.longBurn()).isCloseTo(5, within(1e-9));
    }

    @Test
    void it_burns_in_both_windows_and_no_longer_when_the_short_one_is_over() {
        Objective objective = Objective.of(0.999);
        CallMeter meter = meter(objective, environment);
        callGood(meter, 1_000);
        time.advance(Duration.ofMinutes(50));
        callBad(meter, 20);
        assertThat(meter.shortBurn()).isCloseTo(1_000, within(1e-6));
        assertThat(meter.longBurn()).isCloseTo(20 / 1_020.0 / 0.001, within(1e-6));
        assertThat(figures(meter)).containsEntry("objective.state", 1.0);
        assertThat(events).containsExactly("meter m: ok to burning");
        time.advance(Duration.ofMinutes(6));
        callGood(meter, 1);
        assertThat(events).containsExactly("meter m: ok to burning", "meter m: burning to ok");
        assertThat(meter.longBurn()).isGreaterThan(14.4);
        assertThat(meter.shortBurn()).isZero();
        time.advance(Duration.ofHours(3));
        assertThat(meter.longBurn()).isZero();
    }

    @Test
    void a_short_burst_that_uses_little_of_the_budget_does_not_burn() {
        CallMeter meter = meter(Objective.of(0.99), environment);
        callGood(meter, 10_000);
        time.advance(Duration.ofMinutes(30));
        callBad(meter, 50);
        assertThat(meter.shortBurn()).isGreaterThan(14.4);
        assertThat(meter.longBurn()).isLessThan(14.4);
        assertThat(meter.burnState()).isEqualTo(BurnState.OK);
        assertThat(events).isEmpty();
    }

    @Test
    void ignored_calls_are_neither_good_nor_bad() {
        CallMeter meter = meter(Objective.of(0.9), environment);
        assertThatThrownBy(() -> meter.run(() -> {
                    throw new CancellationException();
                }))
                .isInstanceOf(CancellationException.class);
        assertThat(meter.longBurn()).isZero();
        assertThat(figures(meter)).containsEntry("objective.calls.bad", 0.0);
    }

    @Test
    void a_meter_without_an_objective_never_burns_and_has_no_such_figures() {
        CallMeter meter = CallMeter.of("m", environment);
        callBad(meter, 5);
        assertThat(meter.longBurn()).isZero();
        assertThat(meter.shortBurn()).isZero();
        assertThat(meter.burnState()).isEqualTo(BurnState.OK);
        assertThat(figures(meter).keySet()).noneMatch(name -> name.startsWith("objective"));
    }

    private static Map<String, Double> figures(CallMeter meter) {
        Map<String, Double> figures = new TreeMap<>();
        meter.measure((policy, metric, value) -> figures.put(metric, value));
        return figures;
    }

    @Test
    void a_listener_that_throws_or_calls_back_changes_nothing() {
        CallMeter[] meter = new CallMeter[1];
        List<BurnState> seen = new ArrayList<>();
        Environment hostile = time.environment().toBuilder()
                .listener(new Listener() {
                    @Override
                    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                        seen.add(meter[0].burnState());
                        meter[0].run(() -> {});
                        throw new IllegalStateException("listener");
                    }
                })
                .build();
        meter[0] = meter(Objective.of(0.5).burnRate(1), hostile);
        callBad(meter[0], 3);
        assertThat(meter[0].burnState()).isEqualTo(BurnState.BURNING);
        assertThat(seen).containsExactly(BurnState.BURNING);
        assertThat(meter[0].ended(Ending.SUCCESS)).isEqualTo(1);
    }

    @Test
    void bad_arguments_are_named_with_bound_and_value() {
        assertThatThrownBy(() -> Objective.of(0)).hasMessage("target must be more than 0 and less than 1, but was 0.0");
        assertThatThrownBy(() -> Objective.of(Double.NaN)).hasMessageContaining("but was NaN");
        assertThatThrownBy(() -> Objective.of(99.9)).hasMessageContaining("but was 99.9");
        Objective objective = Objective.of(0.9);
        assertThatThrownBy(() -> objective.within(Duration.ZERO)).hasMessageContaining("within must be more than zero");
        assertThatThrownBy(() -> objective.within(null)).hasMessage("within");
        assertThatThrownBy(() -> objective.burnRate(0)).hasMessage("burnRate must be more than 0, but was 0.0");
        assertThatThrownBy(() -> objective.burnRate(Double.NaN)).hasMessageContaining("NaN");
        assertThatThrownBy(() -> objective.windows(Duration.ofMinutes(4), Duration.ofMinutes(5)))
                .hasMessage(
                        "longWindow must be from the short window, which is 5m," + " to 100 times that, but was 4m");
        assertThatThrownBy(() -> objective.windows(Duration.ofDays(1), Duration.ofMinutes(5)))
                .hasMessageContaining("to 100 times that");
        assertThatThrownBy(() -> objective.windows(Duration.ofNanos(9), Duration.ofNanos(9)))
                .hasMessageContaining("shortWindow must be from 10ns to ")
                .hasMessageEndingWith(", but was 9ns");
        assertThatThrownBy(() -> objective.windows(Duration.ofDays(1), null)).hasMessage("shortWindow");
        assertThat(objective.within(Duration.ofMillis(5)).burnRate(6))
                .hasToString("90.0 % within 5ms, burning at 6.0 over 1h and 5m");
    }
}
