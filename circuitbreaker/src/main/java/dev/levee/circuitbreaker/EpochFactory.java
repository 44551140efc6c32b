package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.State;
import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Makes the epoch that follows another one, with its times, permits, window and refusal. Changes nothing: whether an
 * epoch comes to be the current one is up to {@link EpochBreaker}.
 */
final class EpochFactory {
    private final String name;
    private final Environment environment;
    private final NanoClock clock;

    /** The number of the last lease of a probe, in whatever epoch. */
    private final AtomicLong leases = new AtomicLong();

    EpochFactory(String name, Environment environment) {
        this.name = name;
        this.environment = environment;
        this.clock = environment.clock();
    }

    Epoch open(Epoch from, Epoch.Change change, int reopenings, long hintNanos) {
        OpenTimes times = from.config.openTimes();
        double random = times.hasJitter() ? environment.random().nextDouble() : 0;
        long openNanos = times.nanos(reopenings, random, hintNanos);
        LongSupplier left = openNanos == Nanos.NEVER
                ? () -> Nanos.NEVER
                : () -> Math.max(0, openNanos - (clock.nanoTime() - change.atNanos()));
        return Epoch.open(from, change, openNanos, reopenings, refusal(State.OPEN, change.reason(), left));
    }

    /** Returns the half-open epoch after an open one, from the end of its open time. */
    Epoch halfOpen(Epoch from) {
        CircuitBreakerConfig config = from.config;
        String reason = "it was open for " + BreakerText.readable(from.nanos);
        Epoch.Change change = new Epoch.Change(from.end(), reason, from.change.evidence());
        Probes probes = new Probes(
                config.halfOpenCalls(),
                config.windowRules().probes,
                Nanos.of(config.probeLease()),
                leases::incrementAndGet);
        String taken = "its " + config.halfOpenCalls() + " probes are in flight";
        return Epoch.halfOpen(from, change, probes, refusal(State.HALF_OPEN, taken, EpochFactory::unknown));
    }

    Epoch closed(Epoch from, Epoch.Change change) {
        return Epoch.admitting(State.CLOSED, from, change, newWindow(from, change.atNanos()));
    }

    /** Returns the closed epoch after a ramp, from the end of its last step. */
    Epoch closedAfterRamp(Epoch ramping) {
        long end = ramping.end();
        String reason = "it succeeded for " + BreakerText.readable(ramping.nanos) + " of rising traffic";
        return closed(ramping, new Epoch.Change(end, reason, ramping.tally(end)));
    }

    Epoch ramping(Epoch from, Epoch.Change change) {
        double[] shares = from.config.rampShares();
        long stepNanos = Nanos.of(from.config.rampStep());
        Ramp ramp = new Ramp(shares, stepNanos, step -> {
            long end = Nanos.multiply(stepNanos, step + 1);
            String reason = "it admits " + Counts.percent(shares[step]) + " of calls";
            LongSupplier left = () -> Math.max(0, end - (clock.nanoTime() - change.atNanos()));
            return refusal(State.RAMPING, reason, left);
        });
        return Epoch.ramping(from, change, ramp, Ramp.nanos(shares, stepNanos), newWindow(from, change.atNanos()));
    }

    /** Returns the epoch after a change by hand. */
    Epoch byHand(State to, Epoch from, long nowNanos) {
        Epoch.Change change = new Epoch.Change(nowNanos, "by hand", from.tally(nowNanos));
        return switch (to) {
            case FORCED_OPEN -> Epoch.forcedOpen(from, change, refusal(to, change.reason(), EpochFactory::unknown));
            case DISABLED -> Epoch.admitting(to, from, change, null);
            default -> Epoch.admitting(to, from, change, newWindow(from, nowNanos));
        };
    }

    private static Window newWindow(Epoch from, long nowNanos) {
        return from.config.windowRules().newWindow(nowNanos);
    }

    /** Returns a refusal for all calls of a state; its hint is computed when it is asked for. */
    CircuitOpenException refusal(State state, String reason, LongSupplier left) {
        return new CircuitOpenException(name, BreakerText.subject(name) + " is " + state + ": " + reason, left, true);
    }

    private static long unknown() {
        return RefusedException.UNKNOWN;
    }
}
