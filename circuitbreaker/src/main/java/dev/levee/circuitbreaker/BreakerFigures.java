package dev.levee.circuitbreaker;

import dev.levee.circuitbreaker.CircuitBreaker.Snapshot;
import dev.levee.core.Measured;
import org.jspecify.annotations.Nullable;

/** The metrics of a breaker: the figures of a snapshot, the share of a ramp, and the totals if they are kept. */
final class BreakerFigures {
    private BreakerFigures() {}

    /** Returns what an epoch has counted at a time. */
    static Snapshot snapshot(Epoch epoch, long nowNanos) {
        Counts tally = epoch.tally(nowNanos);
        // Another thread may have changed the state after the clock was read.
        long inState = Math.max(0, nowNanos - epoch.change.atNanos());
        return new Snapshot(epoch.state, tally.calls(), tally.failures(), tally.slow(), inState);
    }

    /** Writes the metrics of a breaker; its totals are null if it keeps none. */
    @SuppressWarnings("EnumOrdinal") // the order of the states is documented to be the figure
    static void write(String name, Snapshot snapshot, Epoch epoch, @Nullable BreakerTotals totals, Measured.Sink sink) {
        sink.value(name, BreakerMetrics.BREAKER_STATE, snapshot.state().ordinal());
        sink.value(name, BreakerMetrics.BREAKER_TIME_IN_STATE, (double) snapshot.nanosInState());
        sink.value(name, BreakerMetrics.BREAKER_WINDOW_CALLS, (double) snapshot.calls());
        sink.value(name, BreakerMetrics.BREAKER_WINDOW_FAILURES, (double) snapshot.failures());
        sink.value(name, BreakerMetrics.BREAKER_WINDOW_SLOW, (double) snapshot.slowCalls());
        sink.value(name, BreakerMetrics.BREAKER_FAILURE_RATE, snapshot.failureRate());
        sink.value(name, BreakerMetrics.BREAKER_SLOW_RATE, snapshot.slowCallRate());
        if (!epoch.config.rampStep().isZero()) {
            sink.value(name, BreakerMetrics.BREAKER_RAMP_SHARE, admittedShare(epoch, snapshot));
        }
        if (totals != null) {
            totals.write(name, sink);
        }
    }

    private static double admittedShare(Epoch epoch, Snapshot snapshot) {
        return switch (snapshot.state()) {
            case CLOSED, DISABLED, OBSERVE_ONLY -> 1;
            case OPEN, HALF_OPEN, FORCED_OPEN -> 0;
            case RAMPING -> epoch.ramp == null ? 1 : epoch.ramp.share(snapshot.nanosInState());
        };
    }
}
