package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** The state machine of one endpoint, against a model that reads the whole history each time. */
class EndpointHealthTest {
    private static final long BASE = 30;
    private static final long MAX = 100;
    private static final long WINDOW = 40;

    private static EndpointHealth.Rules rules(boolean mustBeChecked) {
        return new EndpointHealth.Rules(2, 3, mustBeChecked, BASE, MAX, new SlowStart(WINDOW, 1.0));
    }

    private enum Kind {
        PASS,
        FAIL,
        EJECT,
        DRAIN,
        UNDRAIN,
        INTERVAL,
        TIME
    }

    private record Event(Kind kind, long after) {}

    @Provide
    Arbitrary<List<Event>> histories() {
        Arbitrary<Event> event = Combinators.combine(
                        Arbitraries.frequency(
                                net.jqwik.api.Tuple.of(4, Kind.PASS),
                                net.jqwik.api.Tuple.of(4, Kind.FAIL),
                                net.jqwik.api.Tuple.of(2, Kind.EJECT),
                                net.jqwik.api.Tuple.of(1, Kind.DRAIN),
                                net.jqwik.api.Tuple.of(1, Kind.UNDRAIN),
                                net.jqwik.api.Tuple.of(2, Kind.INTERVAL),
                                net.jqwik.api.Tuple.of(3, Kind.TIME)),
                        Arbitraries.longs().between(0, 35))
                .as(Event::new);
        return event.list().ofMinSize(1).ofMaxSize(60);
    }

    @Property
    void it_is_what_its_history_says(
            @ForAll("histories") List<Event> history,
            @ForAll boolean mustBeChecked,
            @ForAll boolean first,
            @ForAll long origin) {
        long now = origin;
        EndpointHealth health = EndpointHealth.joined(rules(mustBeChecked), first, now);
        Model model = new Model(mustBeChecked, first, now);
        model.agree(health, now);
        for (Event event : history) {
            now += event.after;
            health = health.at(now);
            model.event(Kind.TIME, now);
            EndpointHealth before = health;
            health = switch (event.kind) {
                case PASS -> health.checkPassed(now);
                case FAIL -> health.checkFailed("refused", now);
                case EJECT -> health.eject("bad", now);
                case DRAIN -> health.drain(true, now);
                case UNDRAIN -> health.drain(false, now);
                case INTERVAL -> health.intervalEnded();
                case TIME -> health;
            };
            model.event(event.kind, now);
            model.agree(health, now);
            if (!before.isUsable() && health.isUsable()) {
                assertThat(health.why()).isEmpty();
            }
            if (!health.isUsable() && health.state() != HealthState.DRAINING) {
                assertThat(health.why()).isNotEmpty();
            }
        }
    }

    /** Keeps lists, not counters, and computes everything from them. */
    private static final class Model {
        private final boolean mustBeChecked;
        private final List<Boolean> checks = new ArrayList<>();
        private final List<Long> ejectedAt = new ArrayList<>();
        private final List<Long> ejectedUntil = new ArrayList<>();
        private final List<Boolean> usableBefore = new ArrayList<>();
        private boolean draining;
        private boolean ejected;
        private boolean passing;
        private boolean failing;
        private int multiplier;
        private boolean ejectedInInterval = true;
        private boolean first;
        private long rampSince;
        private boolean ramping;

        Model(boolean mustBeChecked, boolean first, long now) {
            this.mustBeChecked = mustBeChecked;
            this.first = first;
            if (!mustBeChecked) {
                ramping = !first;
                this.first = false;
                rampSince = now;
            }
            usableBefore.add(usable());
        }

        boolean down() {
            return failing || (mustBeChecked && !passing);
        }

        boolean usable() {
            return !draining && !ejected && !down();
        }

        private boolean lastChecks(int count, boolean passed) {
            return checks.size() >= count
                    && checks.subList(checks.size() - count, checks.size()).stream()
                            .allMatch(check -> check == passed);
        }

        void event(Kind kind, long now) {
            switch (kind) {
                case PASS -> {
                    checks.add(true);
                    if (!failing || lastChecks(2, true)) {
                        passing = true;
                        failing = false;
                    }
                }
                case FAIL -> {
                    checks.add(false);
                    if (lastChecks(3, false)) {
                        failing = true;
                        passing = false;
                    }
                }
                case EJECT -> {
                    if (!ejected) {
                        ejected = true;
                        ejectedInInterval = true;
                        ejectedAt.add(now);
                        long time = Math.min(MAX, BASE * (multiplier + 1));
                        ejectedUntil.add(now + time);
                        multiplier += time < MAX ? 1 : 0;
                    }
                }
                case DRAIN -> draining = true;
                case UNDRAIN -> draining = false;
                case INTERVAL -> {
                    if (!ejected) {
                        multiplier -= !ejectedInInterval && multiplier > 0 ? 1 : 0;
                        ejectedInInterval = false;
                    }
                }
                case TIME -> {
                    if (ejected && now - ejectedUntil.get(ejectedUntil.size() - 1) >= 0) {
                        ejected = false;
                    }
                }
            }
            boolean was = usableBefore.get(usableBefore.size() - 1);
            if (usable() && !was) {
                ramping = !first;
                first = false;
                rampSince = now;
            }
            if (!usable() || now - rampSince >= WINDOW) {
                ramping = false;
            }
            usableBefore.add(usable());
        }

        void agree(EndpointHealth health, long now) {
            HealthState state = draining
                    ? HealthState.DRAINING
                    : down()
                            ? HealthState.UNHEALTHY
                            : ejected ? HealthState.EJECTED : ramping ? HealthState.WARMING : HealthState.HEALTHY;
            assertThat(health.state()).isEqualTo(state);
            assertThat(health.isUsable()).isEqualTo(usable());
            assertThat(health.ejections()).isEqualTo(ejectedAt.size());
            double ramp = ramping ? Math.max(0.1, (now - rampSince) / 2 * 2 / (double) WINDOW) : 1.0;
            assertThat(health.ramp(now)).isEqualTo(ramp);
            if (ejected) {
                long left = ejectedUntil.get(ejectedUntil.size() - 1) - now;
                assertThat(health.nanosUntilChange(now)).isEqualTo(left);
            } else if (!ramping) {
                assertThat(health.nanosUntilChange(now)).isEqualTo(Nanos.NEVER);
            }
        }
    }

    @Test
    void the_first_check_decides_alone_only_if_it_passes() {
        EndpointHealth health = EndpointHealth.joined(rules(true), true, 0);
        assertThat(health.checkFailed("refused", 1).checkFailed("refused", 2).state())
                .isEqualTo(HealthState.UNHEALTHY);
        assertThat(health.checkFailed("refused", 1).checkPassed(2).state()).isEqualTo(HealthState.HEALTHY);
        EndpointHealth usable = EndpointHealth.joined(rules(false), true, 0);
        assertThat(usable.checkFailed("refused", 1).state()).isEqualTo(HealthState.HEALTHY);
    }

    @Test
    void an_ejection_in_the_last_century_of_the_clock_ends_in_the_first() {
        long now = Long.MAX_VALUE - 10;
        EndpointHealth health = EndpointHealth.joined(rules(false), true, now).eject("bad", now);
        assertThat(health.at(now + 29).state()).isEqualTo(HealthState.EJECTED);
        assertThat(health.at(now + 30).state()).isEqualTo(HealthState.WARMING);
    }
}
