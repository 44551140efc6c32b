package dev.levee.circuitbreaker;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link CircuitBreaker}. Immutable.
 *
 * <p>By default a breaker looks at the last 100 calls, opens when half of them failed (but not before 20 have ended), stays open for
 * 30 seconds, and then lets 5 probes through; if these do well it closes.
 *
 * @since 0.1
 */
public final class CircuitBreakerConfig {
    private static final int DEFAULT_MINIMUM_CALLS = 20;

    private final Builder set;
    private final Thresholds limits;
    private final Thresholds probeLimits;
    private final Thresholds rampLimits;
    private final long slowNanos;
    private final long openNanos;
    private final long openCapNanos;
    private final long hintCapNanos;
    private final long leaseNanos;
    private final long rampStepNanos;

    private CircuitBreakerConfig(Builder builder) {
        set = new Builder(builder);
        double slowRate = set.slowCallRate == null ? Thresholds.OFF : set.slowCallRate;
        int minimum = set.effectiveMinCalls();
        if (set.consecutiveFailures == null) {
            limits = new Thresholds(set.failureRate, slowRate, minimum);
            probeLimits = limits;
            rampLimits = new Thresholds(set.failureRate, slowRate, Math.min(minimum, set.halfOpenCalls));
        } else {
            limits = new Thresholds(Double.MIN_VALUE, Thresholds.OFF, set.consecutiveFailures);
            // Where calls must fail in a row, the first probe that fails is enough.
            probeLimits = new Thresholds(Double.MIN_VALUE, Thresholds.OFF, 1);
            rampLimits = limits;
        }
        slowNanos = set.slowCallDuration == null ? Nanos.NEVER : Nanos.of(set.slowCallDuration);
        openNanos = Nanos.of(set.openFor);
        openCapNanos = Nanos.of(set.openForCap);
        hintCapNanos = Nanos.of(set.openForHint);
        leaseNanos = set.probeLease == null ? openNanos : Nanos.of(set.probeLease);
        rampStepNanos = Nanos.of(set.rampStep);
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts from these settings. A window that is set on the builder replaces the one that is set here.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(set);
    }

    OutcomeRule outcomes() {
        return set.outcomes;
    }

    boolean recordsTotals() {
        return set.totals;
    }

    boolean hasSlowRule() {
        return set.slowCallDuration != null;
    }

    boolean hasTimeWindow() {
        return set.timeWindow != null;
    }

    boolean needsEnd() {
        return hasSlowRule() || hasTimeWindow();
    }

    /** From how long on a call is slow; NEVER if none is. */
    long slowNanos() {
        return slowNanos;
    }

    /** An empty window. */
    Window newWindow(long nowNanos) {
        if (set.consecutiveFailures != null) {
            return new ConsecutiveFailures();
        }
        return set.timeWindow == null
                ? new CountWindow(set.countWindow)
                : new TimeWindow(Nanos.of(set.timeWindow), nowNanos);
    }

    /** Whether a window by these settings has the same shape as one by others. */
    boolean hasWindowOf(CircuitBreakerConfig other) {
        if (set.consecutiveFailures != null || other.set.consecutiveFailures != null) {
            return set.consecutiveFailures != null && other.set.consecutiveFailures != null;
        }
        return Objects.equals(set.timeWindow, other.set.timeWindow)
                && (set.timeWindow != null || set.countWindow == other.set.countWindow);
    }

    Thresholds limits() {
        return limits;
    }

    /** As when closed, but after as few calls as when half-open. */
    Thresholds rampLimits() {
        return rampLimits;
    }

    boolean hasRamp() {
        return set.rampShares.length > 0;
    }

    double[] rampShares() {
        return set.rampShares;
    }

    long rampStepNanos() {
        return rampStepNanos;
    }

    Thresholds probeLimits() {
        return probeLimits;
    }

    int halfOpenCalls() {
        return set.halfOpenCalls;
    }

    long leaseNanos() {
        return leaseNanos;
    }

    boolean expiredProbesFail() {
        return set.expiredProbesFail;
    }

    boolean hasJitter() {
        return set.openJitter > 0;
    }

    /**
     * How long to stay open.
     *
     * @param reopenings how many times in a row the breaker was open before
     * @param random from 0 to 1, for the jitter
     * @param hintNanos how long the dependency asked to be left alone, or less than zero
     */
    long openNanos(int reopenings, double random, long hintNanos) {
        long grown = Math.min(openCapNanos, Nanos.multiply(openNanos, Math.pow(set.openForMultiplier, reopenings)));
        // After the cap, or all who have reached it would come back together; and downwards, because the cap is a
        // promise.
        long jittered = grown == Nanos.NEVER ? grown : grown - (long) (grown * set.openJitter * random);
        // Not to repeat a call says nothing about how long others should wait.
        long hinted = hintNanos == OutcomeRule.DO_NOT_RETRY ? 0 : Math.min(hintCapNanos, hintNanos);
        return Math.max(Math.max(1, jittered), hinted);
    }

    @Override
    public String toString() {
        return set.toString();
    }

    /**
     * Sets up a {@link CircuitBreaker}. Values are checked when they are set, and against each other by {@link #build}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final List<String> WINDOWS = List.of("countWindow", "timeWindow", "consecutiveFailures");
        private static final List<String> RATES =
                List.of("failureRate", "slowCallRate", "slowCallDuration", "minCalls");

        private double failureRate = 0.5;
        private @Nullable Double slowCallRate;
        private @Nullable Duration slowCallDuration;
        private int countWindow = 100;
        private @Nullable Duration timeWindow;
        private @Nullable Integer consecutiveFailures;
        private @Nullable Integer minCalls;
        private Duration openFor = Duration.ofSeconds(30);
        private double openForMultiplier = 1;
        private Duration openForCap = openFor;
        private double openJitter;
        private Duration openForHint = Duration.ZERO;
        private int halfOpenCalls = 5;
        private @Nullable Duration probeLease;
        private boolean expiredProbesFail = true;
        private Duration rampStep = Duration.ZERO;
        private double[] rampShares = {};
        private OutcomeRule outcomes = OutcomeRule.standard();
        private boolean totals;

        /** What was set here, not what was inherited. */
        private final Set<String> touched = new LinkedHashSet<>();

        Builder() {}

        private Builder(Builder other) {
            failureRate = other.failureRate;
            slowCallRate = other.slowCallRate;
            slowCallDuration = other.slowCallDuration;
            countWindow = other.countWindow;
            timeWindow = other.timeWindow;
            consecutiveFailures = other.consecutiveFailures;
            minCalls = other.minCalls;
            openFor = other.openFor;
            openForMultiplier = other.openForMultiplier;
            openForCap = other.openForCap;
            openJitter = other.openJitter;
            openForHint = other.openForHint;
            halfOpenCalls = other.halfOpenCalls;
            probeLease = other.probeLease;
            expiredProbesFail = other.expiredProbesFail;
            rampStep = other.rampStep;
            rampShares = other.rampShares;
            outcomes = other.outcomes;
            totals = other.totals;
        }

        /**
         * The share of calls that must fail for the breaker to open; default 0.5.
         *
         * @param value more than 0, at most 1; the limit itself opens the breaker
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder failureRate(double value) {
            touched.add("failureRate");
            failureRate = Require.ratio("failureRate", value);
            return this;
        }

        /**
         * The share of calls that must be slow for the breaker to open; by default slow calls do not matter. Needs {@link
         * #slowCallDuration}. A call may be slow and a failure, and counts as both.
         *
         * @param value more than 0, at most 1; the limit itself opens the breaker
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder slowCallRate(double value) {
            touched.add("slowCallRate");
            slowCallRate = Require.ratio("slowCallRate", value);
            return this;
        }

        /**
         * From how long on a call is slow. Needs {@link #slowCallRate}. Each call then costs two reads of the clock.
         *
         * @param value more than zero; a call that takes just this long is slow
         * @return this
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder slowCallDuration(Duration value) {
            touched.add("slowCallDuration");
            slowCallDuration = Require.positive("slowCallDuration", value);
            return this;
        }

        /**
         * Judges the last calls, as many as this; default 100.
         *
         * <p>Every size has the same representation: one word with all counts, and a ring of 2 bits for each call. It is exact with any
         * number of threads: at each moment the counts are those of just the last calls, in the order in which they were recorded. A
         * call costs one write, and none if it is a success and all in the window are.
         *
         * @param calls from 1 to 100000
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder countWindow(int calls) {
            touched.add("countWindow");
            countWindow = Require.range("countWindow", calls, 1, CountWindow.MAX);
            timeWindow = null;
            consecutiveFailures = null;
            return this;
        }

        /**
         * Judges the calls that ended in the last moments. Use it where the number of calls in a given time varies a lot.
         *
         * <p>Counts are kept in 26 to 64 buckets, whose width is the smallest possible of 1, 2, 5, 10, 20, ... nanoseconds: 200 ms for
         * a window of 10 seconds. No outcome counts that is older than the window; an outcome is forgotten up to two buckets
         * earlier, at most one if the window is a multiple of their width. Threads that record at the same time may each judge without
         * the call of the other, but never both: no call is lost. Each call costs one read of the clock and one write, to a counter
         * that is spread over threads when they meet on it.
         *
         * @param value more than zero
         * @return this
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder timeWindow(Duration value) {
            touched.add("timeWindow");
            timeWindow = Require.positive("timeWindow", value);
            consecutiveFailures = null;
            return this;
        }

        /**
         * Opens when this many calls failed one after the other, in the order in which they ended; half-open, the first probe that
         * fails opens the breaker again. Takes the place of a window and of its rates.
         *
         * @param calls from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder consecutiveFailures(int calls) {
            touched.add("consecutiveFailures");
            consecutiveFailures = Require.range("consecutiveFailures", calls, 1, Integer.MAX_VALUE);
            timeWindow = null;
            slowCallRate = null;
            slowCallDuration = null;
            minCalls = null;
            return this;
        }

        /**
         * How many calls must be in the window before it is judged; default 20, or the size of a count window if that is less.
         *
         * @param value from 1, and at most the size of a count window
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder minCalls(int value) {
            touched.add("minCalls");
            minCalls = Require.range("minCalls", value, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How long the breaker stays open, the same each time; default 30 seconds.
         *
         * @param value more than zero; from about 146 years on it means for ever
         * @return this
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder openFor(Duration value) {
            return openFor(value, 1, value);
        }

        /**
         * How long the breaker stays open, longer each time that it opens again without having been closed.
         *
         * @param initial the first time, more than zero
         * @param multiplier what the time is multiplied by each time, from 1
         * @param cap the longest time, not less than the first
         * @return this
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Builder openFor(Duration initial, double multiplier, Duration cap) {
            openFor = Require.positive("openFor", initial);
            if (!(multiplier >= 1) || Double.isInfinite(multiplier)) {
                throw new IllegalArgumentException("openFor multiplier must be at least 1, but was " + multiplier);
            }
            if (Require.nonNull("openFor cap", cap).compareTo(initial) < 0) {
                throw new IllegalArgumentException("openFor cap must be at least " + initial + ", but was " + cap);
            }
            openForMultiplier = multiplier;
            openForCap = cap;
            return this;
        }

        /**
         * Shortens each open time by a random share, so that many instances do not probe at once; default 0, not at all.
         *
         * @param ratio the largest share, from 0 to less than 1; 0.2 makes 30 seconds something between 24 and 30
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder openJitter(double ratio) {
            if (!(ratio >= 0 && ratio < 1)) {
                throw new IllegalArgumentException("openJitter must be from 0 to less than 1, but was " + ratio);
            }
            openJitter = ratio;
            return this;
        }

        /**
         * Stays open as long as the outcome that opens the breaker asks for, if that is longer than the open time; by default hints
         * are not looked at. Where a hint comes from is up to {@link OutcomeRule#retryAfterNanos}; {@link OutcomeRule#DO_NOT_RETRY} is
         * none, because it is about one call.
         *
         * @param maximum the longest time that is believed, zero for none
         * @return this
         * @throws IllegalArgumentException if it is negative
         */
        public Builder openForHint(Duration maximum) {
            openForHint = Require.notNegative("openForHint", maximum);
            return this;
        }

        /**
         * How many probes a half-open breaker lets through in all; default 5. It does not wait for all of them: as soon as those that
         * have ended decide whether the limits will be met, it closes or opens again.
         *
         * @param value from 1 to 1000
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder halfOpenCalls(int value) {
            halfOpenCalls = Require.range("halfOpenCalls", value, 1, Probes.MAX);
            return this;
        }

        /**
         * How long a probe may take; default as long as the breaker stays open the first time. A probe that has not ended by then is
         * given up, and its result is ignored when it comes.
         *
         * @param value more than zero; from about 146 years on it means for ever
         * @return this
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder probeLease(Duration value) {
            probeLease = Require.positive("probeLease", value);
            return this;
        }

        /**
         * Whether a probe that is given up counts as a failure and as slow (the default), or gives its permit to another probe.
         *
         * @param value true for a failure
         * @return this
         */
        public Builder expiredProbesFail(boolean value) {
            expiredProbesFail = value;
            return this;
        }

        /**
         * Lets traffic come back in steps after the probes have done well, instead of all at once; by default there are none. Use it
         * for a dependency that is overrun by full traffic when it has just recovered: cold caches, connections to be opened.
         *
         * <p>{@code ramp(ofSeconds(10), 0.1, 0.25, 0.5)} admits 10 % of calls for ten seconds, 25 % for ten, 50 % for ten, and then
         * closes. Which calls is not left to chance: of any hundred just ten, and of callers that take turns each its share. Outcomes
         * of the whole ramp are judged together by the limits of the closed breaker, but as soon as {@link #halfOpenCalls} have ended
         * if that is less than {@link #minCalls}; over the limit, the breaker opens again, for as long as if a probe had failed.
         * The steps go by time alone: without calls the breaker closes as well.
         *
         * @param step how long each step lasts, more than zero
         * @param shares the share of calls that each step admits, rising, more than 0 and at most 1; none for no ramp
         * @return this
         * @throws IllegalArgumentException if a value is out of its range or the shares do not rise
         */
        public Builder ramp(Duration step, double... shares) {
            Require.positive("ramp step", step);
            double before = 0;
            for (double share : Require.nonNull("ramp shares", shares)) {
                if (Require.ratio("ramp share", share) <= before) {
                    throw new IllegalArgumentException("ramp shares must rise, but were " + Arrays.toString(shares));
                }
                before = share;
            }
            rampStep = step;
            rampShares = shares.clone();
            return this;
        }

        /**
         * What counts as a failure; default {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Whether to count calls since the breaker was made, by outcome, and refusals; default false. It costs a write for each call,
         * to a counter that is spread over threads.
         *
         * @param value true to count
         * @return this
         */
        public Builder totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if settings contradict each other: more than one window was set, a rate together with
         *     {@link #consecutiveFailures}, only one of the two for slow calls, or more minimum calls than a count window has
         */
        public CircuitBreakerConfig build() {
            requireOneWindow();
            if (consecutiveFailures != null) {
                for (String rate : RATES) {
                    if (touched.contains(rate)) {
                        throw new IllegalArgumentException(rate + " does not apply to consecutiveFailures");
                    }
                }
            }
            if (slowCallRate != null && slowCallDuration == null) {
                throw new IllegalArgumentException(
                        "slowCallDuration must be set, because slowCallRate is " + slowCallRate);
            }
            if (slowCallRate == null && slowCallDuration != null) {
                throw new IllegalArgumentException(
                        "slowCallRate must be set, because slowCallDuration is " + slowCallDuration);
            }
            if (timeWindow == null && minCalls != null && minCalls > countWindow) {
                throw new IllegalArgumentException(
                        "minCalls must be at most countWindow " + countWindow + ", but was " + minCalls);
            }
            return new CircuitBreakerConfig(this);
        }

        private void requireOneWindow() {
            List<String> windows = WINDOWS.stream().filter(touched::contains).toList();
            if (windows.size() > 1) {
                throw new IllegalArgumentException("only one window can be set, but were " + windows);
            }
        }

        private int effectiveMinCalls() {
            if (minCalls != null) {
                return minCalls;
            }
            return timeWindow == null ? Math.min(countWindow, DEFAULT_MINIMUM_CALLS) : DEFAULT_MINIMUM_CALLS;
        }

        private String window() {
            if (consecutiveFailures != null) {
                return consecutiveFailures + " failures in a row";
            }
            return "failure rate " + failureRate
                    + (slowCallRate == null ? "" : ", slow-call rate " + slowCallRate + " from " + slowCallDuration)
                    + (timeWindow == null ? " of " + countWindow + " calls" : " in " + timeWindow)
                    + ", at least " + effectiveMinCalls();
        }

        @Override
        public String toString() {
            return window() + "; open for " + openFor
                    + (openForMultiplier == 1 ? "" : " x " + openForMultiplier + " up to " + openForCap)
                    + (openJitter == 0 ? "" : " -" + openJitter)
                    + (openForHint.isZero() ? "" : ", hint up to " + openForHint)
                    + "; " + halfOpenCalls + " probes"
                    + (rampShares.length == 0
                            ? ""
                            : ", then " + Arrays.toString(rampShares) + " for " + rampStep + " each");
        }
    }
}
