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

    /** Returns the open epoch after one that admitted calls, once more if the breaker has not closed since the last. */
    Epoch open(Epoch from, Epoch.Change change, long hintNanos) {
        OpenTimes times = from.config.openTimes();
        double random = times.hasJitter() ? environment.random().nextDouble() : 0;
        int reopenings = from.reopenings + 1;
        long openNanos = times.nanos(reopenings, random, hintNanos);
        LongSupplier left = openNanos == Nanos.NEVER ? () -> Nanos.NEVER : left(change, openNanos);
        return Epoch.open(from, change, openNanos, reopenings, refusal(State.OPEN, change.reason(), left));
    }

    /** Returns the half-open epoch after an open one, from the end of its open time. */
    Epoch halfOpen(Epoch from) {
        String reason = "it was open for " + BreakerText.readable(from.nanos);
        return halfOpen(from, new Epoch.Change(from.end(), reason, from.change.evidence()));
    }

    /** Returns the half-open epoch after any other, from now on. */
    Epoch halfOpen(Epoch from, long nowNanos, String reason) {
        return halfOpen(from, new Epoch.Change(nowNanos, reason, from.tally(nowNanos)));
    }

    private Epoch halfOpen(Epoch from, Epoch.Change change) {
        CircuitBreakerConfig config = from.config;
        Probes probes = new Probes(
                config.halfOpenRules(),
                config.windowRules().probes,
                Nanos.of(config.probeLease()),
                leases::incrementAndGet);
        String taken = "its " + config.halfOpenCalls() + " probes are in flight";
        return Epoch.halfOpen(from, change, probes, refusal(State.HALF_OPEN, taken, EpochFactory::unknown));
    }

    /** Returns an epoch that refuses every call by hand, for a time or until it is ended by hand. */
    Epoch forcedOpen(Epoch from, long nowNanos, long nanos) {
        boolean ends = nanos != Nanos.NEVER;
        String reason = ends ? "by hand, for " + BreakerText.readable(nanos) : "by hand";
        Epoch.Change change = new Epoch.Change(nowNanos, reason, from.tally(nowNanos));
        LongSupplier left = ends ? left(change, nanos) : EpochFactory::unknown;
        return Epoch.forcedOpen(from, change, nanos, refusal(State.FORCED_OPEN, reason, left));
    }

    private LongSupplier left(Epoch.Change change, long nanos) {
        return () -> Math.max(0, nanos - (clock.nanoTime() - change.atNanos()));
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
            return refusal(State.RAMPING, reason, left(change, end));
        });
        return Epoch.ramping(from, change, ramp, Ramp.nanos(shares, stepNanos), newWindow(from, change.atNanos()));
    }

    /** Returns the epoch after a change by hand. */
    Epoch byHand(State to, Epoch from, long nowNanos) {
        Epoch.Change change = new Epoch.Change(nowNanos, "by hand", from.tally(nowNanos));
        return switch (to) {
            case FORCED_OPEN -> forcedOpen(from, nowNanos, Nanos.NEVER);
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
