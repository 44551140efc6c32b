package dev.levee.circuitbreaker;

import dev.levee.core.internal.Nanos;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * The settings of a breaker that say how calls are judged, and what follows from them: which window records calls, and
 * which limits apply in each state. Immutable.
 */
final class WindowRules {
    private static final int DEFAULT_MIN_CALLS = 20;
    private static final List<String> WINDOWS = List.of("countWindow", "timeWindow", "consecutiveFailures");
    private static final List<String> RATES = List.of("failureRate", "slowCallRate", "slowCallDuration", "minCalls");

    final double failureRate;

    /** 0 if slow calls do not matter. */
    final double slowCallRate;

    /** Zero if slow calls do not matter. */
    final Duration slowCallDuration;

    /** Used unless there is a time window or calls must fail in a row. */
    final int countWindow;

    /** Zero if there is none. */
    final Duration timeWindow;

    /** 0 if there is a window with rates. */
    final int consecutiveFailures;

    /** As it was set; 0 for the default, which depends on the window. */
    final int minCallsSet;

    /** The limits of a closed breaker. */
    final Thresholds closed;

    /** The limits of a half-open breaker. */
    final Thresholds probes;

    /** The limits during a ramp: those of a closed breaker, but after as few calls as when half-open. */
    final Thresholds ramp;

    /** Fails if settings contradict each other. */
    WindowRules(CircuitBreakerConfig.Builder builder) {
        failureRate = builder.failureRate;
        slowCallRate = builder.slowCallRate;
        slowCallDuration = builder.slowCallDuration;
        countWindow = builder.countWindow;
        timeWindow = builder.timeWindow;
        consecutiveFailures = builder.consecutiveFailures;
        minCallsSet = builder.minCalls;
        refuseContradictions(builder.touched);
        if (consecutiveFailures > 0) {
            closed = new Thresholds(Double.MIN_VALUE, Thresholds.OFF, consecutiveFailures);
            // Where calls must fail in a row, the first probe that fails is enough.
            probes = new Thresholds(Double.MIN_VALUE, Thresholds.OFF, 1);
            ramp = closed;
        } else {
            double slowRate = slowCallRate == 0 ? Thresholds.OFF : slowCallRate;
            closed = new Thresholds(failureRate, slowRate, minCalls());
            probes = closed;
            ramp = new Thresholds(failureRate, slowRate, Math.min(minCalls(), builder.halfOpenCalls));
        }
    }

    void copyTo(CircuitBreakerConfig.Builder builder) {
        builder.failureRate = failureRate;
        builder.slowCallRate = slowCallRate;
        builder.slowCallDuration = slowCallDuration;
        builder.countWindow = countWindow;
        builder.timeWindow = timeWindow;
        builder.consecutiveFailures = consecutiveFailures;
        builder.minCalls = minCallsSet;
    }

    private void refuseContradictions(Set<String> touched) {
        List<String> windows = WINDOWS.stream().filter(touched::contains).toList();
        if (windows.size() > 1) {
            throw new IllegalArgumentException("only one window can be set, but were " + windows);
        }
        if (consecutiveFailures > 0) {
            for (String rate : RATES) {
                if (touched.contains(rate)) {
                    throw new IllegalArgumentException(rate + " does not apply to consecutiveFailures");
                }
            }
        }
        if (slowCallRate > 0 && !hasSlowRule()) {
            throw new IllegalArgumentException("slowCallDuration must be set, because slowCallRate is " + slowCallRate);
        }
        if (slowCallRate == 0 && hasSlowRule()) {
            throw new IllegalArgumentException(
                    "slowCallRate must be set, because slowCallDuration is " + Nanos.text(slowCallDuration));
        }
        if (!hasTimeWindow() && minCallsSet > countWindow) {
            throw new IllegalArgumentException(
                    "minCalls must be at most countWindow " + countWindow + ", but was " + minCallsSet);
        }
    }

    /** Returns how many calls a window with rates must hold before it is judged. */
    int minCalls() {
        if (minCallsSet > 0) {
            return minCallsSet;
        }
        return hasTimeWindow() ? DEFAULT_MIN_CALLS : Math.min(countWindow, DEFAULT_MIN_CALLS);
    }

    boolean hasSlowRule() {
        return !slowCallDuration.isZero();
    }

    /** Returns the duration from which a call counts as slow; NEVER if none does. */
    long slowNanos() {
        return hasSlowRule() ? Nanos.of(slowCallDuration) : Nanos.NEVER;
    }

    boolean hasTimeWindow() {
        return !timeWindow.isZero();
    }

    /** Whether the end of each call must be timed. */
    boolean needsEnd() {
        return hasSlowRule() || hasTimeWindow();
    }

    /** Returns an empty window. */
    Window newWindow(long nowNanos) {
        if (consecutiveFailures > 0) {
            return new ConsecutiveFailures();
        }
        return hasTimeWindow() ? new TimeWindow(Nanos.of(timeWindow), nowNanos) : new CountWindow(countWindow);
    }

    /** Whether a window by these rules has the same kind and size as one by others, so that it can be kept. */
    boolean haveWindowOf(WindowRules other) {
        if (consecutiveFailures > 0 || other.consecutiveFailures > 0) {
            return consecutiveFailures > 0 && other.consecutiveFailures > 0;
        }
        return timeWindow.equals(other.timeWindow) && (hasTimeWindow() || countWindow == other.countWindow);
    }

    @Override
    public String toString() {
        if (consecutiveFailures > 0) {
            return consecutiveFailures + " failures in a row";
        }
        return "failure rate " + failureRate
                + (hasSlowRule() ? ", slow-call rate " + slowCallRate + " from " + Nanos.text(slowCallDuration) : "")
                + (hasTimeWindow() ? " in " + Nanos.text(timeWindow) : " of " + countWindow + " calls")
                + ", at least " + minCalls();
    }
}
