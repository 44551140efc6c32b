package dev.levee.circuitbreaker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.circuitbreaker.Model.Settings;
import dev.levee.circuitbreaker.Model.Ticket;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** The breaker does what the {@link Model} does: whatever the settings, the history, the time, and when it is read. */
class ModelTest {
    private static final long SECOND = 1_000_000_000L;
    private static final List<Kind> BY_HAND = List.of(
            Kind.FORCE_OPEN,
            Kind.FORCE_OPEN_FOR,
            Kind.HALF_OPEN,
            Kind.ALLOW_PROBE,
            Kind.DISABLE,
            Kind.OBSERVE,
            Kind.RESET);
    private static final List<Verdict> OTHERS =
            List.of(Verdict.FAILURE, Verdict.THROTTLED, Verdict.NOT_SENT, Verdict.IGNORED);

    /** What can happen to a breaker; the meaning of the number depends on what happens. */
    enum Kind {
        ENTER,
        EXIT,
        PASS,
        JUMP,
        READ,
        FORCE_OPEN,
        FORCE_OPEN_FOR,
        HALF_OPEN,
        ALLOW_PROBE,
        DISABLE,
        OBSERVE,
        RESET,
        RECONFIGURE
    }

    record Step(Kind kind, int number, Verdict verdict) {}

    @Property(tries = 1000)
    void short_histories(@ForAll("settings") Settings settings, @ForAll("histories") List<Step> history) {
        Pair pair = new Pair(settings);
        history.forEach(pair::step);
        pair.read();
    }

    /** Longer than a shrinker likes, so they come from a seed. */
    @Property(tries = 200)
    void long_histories(@ForAll("settings") Settings settings, @ForAll long seed) {
        Random random = new Random(seed);
        int weightOfLooking = random.nextInt(3) * 4;
        int weightOfHands = random.nextInt(4) / 3;
        int oneInReconfigures = random.nextInt(3) == 0 ? 50 : 100_000;
        int shareOfFailures = random.nextInt(100);
        Pair pair = new Pair(settings);
        for (int i = 0; i < 5000; i++) {
            pair.step(
                    random.nextInt(oneInReconfigures) == 0
                            ? new Step(Kind.RECONFIGURE, random.nextInt(), Verdict.SUCCESS)
                            : randomStep(random, weightOfLooking, weightOfHands, shareOfFailures));
        }
        pair.read();
    }

    private static Step randomStep(Random random, int reading, int hands, int failures) {
        int dice = random.nextInt(100);
        Kind kind = Kind.ENTER;
        if (dice < 45) {
            kind = Kind.EXIT;
        } else if (dice < 52) {
            kind = Kind.PASS;
        } else if (dice < 53) {
            kind = Kind.JUMP;
        } else if (dice < 53 + reading) {
            kind = Kind.READ;
        } else if (dice < 53 + reading + hands) {
            kind = BY_HAND.get(random.nextInt(BY_HAND.size()));
        }
        Verdict verdict = random.nextInt(100) >= failures ? Verdict.SUCCESS : OTHERS.get(random.nextInt(OTHERS.size()));
        return new Step(kind, random.nextInt(), verdict);
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        Arbitrary<Kind> kinds = Arbitraries.frequency(
                Tuple.of(30, Kind.ENTER),
                Tuple.of(30, Kind.EXIT),
                Tuple.of(12, Kind.PASS),
                Tuple.of(1, Kind.JUMP),
                Tuple.of(10, Kind.READ),
                Tuple.of(1, Kind.FORCE_OPEN),
                Tuple.of(1, Kind.FORCE_OPEN_FOR),
                Tuple.of(1, Kind.HALF_OPEN),
                Tuple.of(2, Kind.ALLOW_PROBE),
                Tuple.of(1, Kind.DISABLE),
                Tuple.of(1, Kind.OBSERVE),
                Tuple.of(2, Kind.RESET),
                Tuple.of(3, Kind.RECONFIGURE));
        return Combinators.combine(kinds, Arbitraries.integers(), Arbitraries.of(Verdict.class))
                .as(Step::new)
                .list()
                .ofMaxSize(200);
    }

    @Provide
    Arbitrary<Settings> settings() {
        return Arbitraries.randomValue(ModelTest::randomSettings);
    }

    private static Settings randomSettings(Random random) {
        int window = random.nextInt(3);
        int count = window == 0 ? 1 + random.nextInt(random.nextBoolean() ? 8 : 130) : 0;
        long time = window == 1 ? SECOND / 1000 + (long) (random.nextDouble() * 20 * SECOND) : 0;
        int inARow = window == 2 ? 1 + random.nextInt(6) : 0;
        boolean slow = window != 2 && random.nextBoolean();
        List<Double> shares = List.of(0.1, 0.25, 0.5, 0.75, 1.0);
        int first = random.nextInt(shares.size());
        boolean ramp = random.nextBoolean();
        long open = 1 + (long) (random.nextDouble() * 10 * SECOND);
        int probes = 1 + random.nextInt(random.nextBoolean() ? 3 : 20);
        return new Settings(
                count,
                time,
                inARow,
                count > 0 ? 1 + random.nextInt(count) : 1 + random.nextInt(12),
                random.nextInt(4) == 0 ? (1 + random.nextInt(100)) / 100.0 : (1 + random.nextInt(10)) / 10.0,
                slow ? (1 + random.nextInt(10)) / 10.0 : 0,
                slow ? 1 + (long) (random.nextDouble() * 3 * SECOND) : 0,
                open,
                1 + random.nextInt(3) * 0.75,
                open * (1 + random.nextInt(50)),
                random.nextInt(3) * 0.4,
                random.nextBoolean() ? 20 * SECOND : 0,
                probes,
                random.nextBoolean() ? 1 + random.nextInt(probes) : 0,
                1 + (long) (random.nextDouble() * 12 * SECOND),
                random.nextBoolean(),
                1 + (long) (random.nextDouble() * 5 * SECOND),
                ramp ? shares.subList(first, first + 1 + random.nextInt(shares.size() - first)) : List.of(),
                random.nextLong());
    }

    /** Other settings that a breaker can change to: as often as not with a window of the same kind and size. */
    private static Settings other(Settings made, Settings now, Random random) {
        Settings other = randomSettings(random);
        boolean keeps = random.nextBoolean();
        Settings window = keeps ? now : other;
        boolean slow = made.slowRate() > 0 && window.inARow() == 0 && other.slowRate() > 0;
        int most = window.count() > 0 ? window.count() : 12;
        return new Settings(
                window.count(),
                window.timeNanos(),
                window.inARow() > 0 ? 1 + random.nextInt(6) : 0,
                1 + random.nextInt(most),
                other.failureRate(),
                slow ? other.slowRate() : 0,
                slow ? other.slowNanos() : 0,
                other.openNanos(),
                other.multiplier(),
                other.openCapNanos(),
                other.jitter(),
                other.hintCapNanos(),
                other.probes(),
                other.successes(),
                other.leaseNanos(),
                other.expiredFail(),
                other.rampStepNanos(),
                other.rampShares(),
                other.seed());
    }

    /** A breaker and its model, to which the same happens. */
    private static final class Pair {
        final Model model;
        final CircuitBreaker breaker;
        final ManualTime time;
        final NanoClock clock;
        final List<String> changes = new ArrayList<>();
        final List<long[]> stamps = new ArrayList<>();
        final List<Ticket> tickets = new ArrayList<>();
        final Settings made;
        Settings settings;
        int jumps;

        Pair(Settings settings) {
            made = settings;
            this.settings = settings;
            model = new Model(settings);
            // Somewhere in the range of the clock, often shortly before it wraps.
            Random random = new Random(settings.seed());
            time = ManualTime.startingAt(random.nextBoolean() ? random.nextLong() : Long.MAX_VALUE - 7 * SECOND);
            clock = time.environment().clock();
            Environment environment = time.environment().toBuilder()
                    .random(new Random(settings.seed()))
                    .listener(new Listener() {
                        @Override
                        public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
                            changes.add(from + " " + to);
                        }
                    })
                    .build();
            breaker = CircuitBreaker.of("model", builder -> configure(builder, settings), environment);
        }

        private static void configure(CircuitBreakerConfig.Builder builder, Settings settings) {
            if (settings.inARow() > 0) {
                builder.consecutiveFailures(settings.inARow());
            } else {
                builder.minCalls(settings.minimum()).failureRate(settings.failureRate());
            }
            if (settings.count() > 0) {
                builder.countWindow(settings.count());
            }
            if (settings.timeNanos() > 0) {
                builder.timeWindow(Duration.ofNanos(settings.timeNanos()));
            }
            if (settings.slowRate() > 0) {
                builder.slowCallRate(settings.slowRate()).slowCallDuration(Duration.ofNanos(settings.slowNanos()));
            }
            builder.openFor(
                            Duration.ofNanos(settings.openNanos()),
                            settings.multiplier(),
                            Duration.ofNanos(settings.openCapNanos()))
                    .openJitter(settings.jitter())
                    .openForHint(Duration.ofNanos(settings.hintCapNanos()))
                    .halfOpenCalls(settings.probes())
                    .halfOpenSuccesses(settings.successes())
                    .probeLease(Duration.ofNanos(settings.leaseNanos()))
                    .expiredProbesFail(settings.expiredFail())
                    .ramp(
                            Duration.ofNanos(settings.rampStepNanos()),
                            settings.rampShares().stream()
                                    .mapToDouble(share -> share)
                                    .toArray());
        }

        void step(Step step) {
            int choice = step.number & Integer.MAX_VALUE;
            switch (step.kind) {
                case ENTER -> enter();
                case EXIT -> {
                    if (!tickets.isEmpty()) {
                        exit(choice % tickets.size(), step);
                    }
                }
                case PASS -> pass(choice % 5 == 0 ? choice % 200 : choice % (4 * SECOND));
                case JUMP -> {
                    if (jumps++ < 2) {
                        pass(100L * 365 * 86_400 * SECOND);
                    }
                }
                case READ -> read();
                case FORCE_OPEN -> {
                    breaker.forceOpen();
                    model.set(State.FORCED_OPEN);
                }
                case FORCE_OPEN_FOR -> {
                    long nanos = 1 + choice % (8 * SECOND);
                    breaker.forceOpen(Duration.ofNanos(nanos));
                    model.forceOpen(nanos);
                }
                case HALF_OPEN -> {
                    breaker.halfOpen();
                    model.set(State.HALF_OPEN);
                }
                case ALLOW_PROBE -> {
                    breaker.allowProbe();
                    model.allowProbe();
                }
                case DISABLE -> {
                    breaker.disable();
                    model.set(State.DISABLED);
                }
                case OBSERVE -> {
                    breaker.observeOnly();
                    model.set(State.OBSERVE_ONLY);
                }
                case RESET -> {
                    breaker.reset();
                    model.set(State.CLOSED);
                }
                case RECONFIGURE -> {
                    settings = other(made, settings, new Random(step.number));
                    CircuitBreakerConfig.Builder builder = CircuitBreakerConfig.builder();
                    configure(builder, settings);
                    breaker.reconfigure(builder.build());
                    model.reconfigure(settings);
                    read();
                }
            }
        }

        private void enter() {
            long now = clock.nanoTime();
            long stamp = breaker.tryEnter((breaker.timing() & Gate.ENTRY) != 0 ? now : 0);
            Ticket ticket = model.enter();
            assertThat(stamp != Gate.REFUSED)
                    .as("admitted by %s, model %s", breaker, model)
                    .isEqualTo(ticket != null);
            if (ticket != null) {
                stamps.add(new long[] {stamp, now});
                tickets.add(ticket);
            }
        }

        private void exit(int index, Step step) {
            long[] stamp = stamps.remove(index);
            Ticket ticket = tickets.remove(index);
            int timing = breaker.timing();
            long hint = step.number % 3 == 0 ? (step.number & Integer.MAX_VALUE) % (40 * SECOND) : -1;
            breaker.exit(
                    stamp[0],
                    (timing & Gate.ENTRY) != 0 ? stamp[1] : 0,
                    (timing & Gate.EXIT) != 0 ? clock.nanoTime() : 0,
                    step.verdict,
                    hint);
            model.exit(ticket, step.verdict, hint);
        }

        private void pass(long nanos) {
            time.advance(Duration.ofNanos(nanos));
            model.now += nanos;
        }

        void read() {
            assertThat(breaker.snapshot()).isEqualTo(model.snapshot());
            assertThat(breaker.state()).isEqualTo(model.state);
            assertThat(changes).isEqualTo(model.changes);
            if (model.state == State.OPEN) {
                assertThat(breaker.refusal().retryAfterNanos()).isEqualTo(model.openLeft());
            }
        }
    }
}
