package dev.levee.circuitbreaker;

import dev.levee.core.OutcomeRule;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link CircuitBreaker}. Immutable.
 *
 * <p>By default a breaker judges the last 100 calls, opens when half of them failed (but not before 20 have ended),
 * stays open for 30 seconds, and then admits 5 probes; if fewer of these fail than the limit allows, it closes.
 *
 * @since 0.1
 */
public final class CircuitBreakerConfig {
    private final WindowRules windowRules;
    private final OpenTimes openTimes;
    private final HalfOpenRules halfOpenRules;
    private final OutcomeRule outcomes;
    private final boolean totals;

    private CircuitBreakerConfig(Builder builder) {
        windowRules = new WindowRules(builder);
        openTimes = new OpenTimes(builder);
        halfOpenRules = new HalfOpenRules(builder);
        outcomes = builder.outcomes;
        totals = builder.totals;
    }

    /** {@return a builder that starts from the defaults; not thread-safe} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return a builder that starts from these settings; a window that is set on it replaces the one of these} */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** {@return the share of calls that must fail for the breaker to open; 0 with {@link #consecutiveFailures}} */
    public double failureRate() {
        return consecutiveFailures() > 0 ? 0 : windowRules.failureRate;
    }

    /** {@return the share of calls that must be slow for the breaker to open; 0 if slow calls do not matter} */
    public double slowCallRate() {
        return windowRules.slowCallRate;
    }

    /** {@return the duration from which a call counts as slow; zero if slow calls do not matter} */
    public Duration slowCallDuration() {
        return windowRules.slowCallDuration;
    }

    /** {@return how many of the last calls are judged; 0 with another kind of window} */
    public int countWindow() {
        return timeWindow().isZero() && consecutiveFailures() == 0 ? windowRules.countWindow : 0;
    }

    /** {@return how long ago calls may have ended that are judged; zero with another kind of window} */
    public Duration timeWindow() {
        return windowRules.timeWindow;
    }

    /** {@return how many calls must fail in a row for the breaker to open; 0 with a window} */
    public int consecutiveFailures() {
        return windowRules.consecutiveFailures;
    }

    /** {@return how many calls must be in the window before it is judged; 0 with {@link #consecutiveFailures}} */
    public int minCalls() {
        return consecutiveFailures() > 0 ? 0 : windowRules.minCalls();
    }

    /** {@return how long the breaker stays open the first time} */
    public Duration openFor() {
        return openTimes.initial;
    }

    /** {@return what the open time is multiplied by each time the breaker opens again; 1 if it does not grow} */
    public double openForMultiplier() {
        return openTimes.multiplier;
    }

    /** {@return the longest open time, but for a hint} */
    public Duration openForMax() {
        return openTimes.max;
    }

    /** {@return the largest share by which an open time is shortened at random} */
    public double openJitter() {
        return openTimes.jitter;
    }

    /** {@return the longest hint that is followed; zero if hints are ignored} */
    public Duration openForHint() {
        return openTimes.maxHint;
    }

    /** {@return how many probes a half-open breaker admits in all} */
    public int halfOpenCalls() {
        return halfOpenRules.calls;
    }

    /** {@return how many probes must succeed for the breaker to close; 0 if the rates decide} */
    public int halfOpenSuccesses() {
        return halfOpenRules.successes;
    }

    /** {@return how long a probe may take; {@link #openFor}, but at least 30 seconds, unless it was set} */
    public Duration probeLease() {
        return halfOpenRules.lease(openFor());
    }

    /** {@return whether a probe that takes longer counts as a failure} */
    public boolean expiredProbesFail() {
        return halfOpenRules.expiredFail;
    }

    /** {@return how long each step of the ramp lasts; zero without a ramp} */
    public Duration rampStep() {
        return halfOpenRules.rampStep;
    }

    /** {@return the share of calls that each step of the ramp admits, in a new array; empty without a ramp} */
    public double[] rampShares() {
        return halfOpenRules.rampShares.clone();
    }

    /** {@return the rule that says what counts as a failure} */
    public OutcomeRule outcomes() {
        return outcomes;
    }

    /** {@return whether calls are counted since the breaker was made} */
    public boolean totals() {
        return totals;
    }

    WindowRules windowRules() {
        return windowRules;
    }

    OpenTimes openTimes() {
        return openTimes;
    }

    HalfOpenRules halfOpenRules() {
        return halfOpenRules;
    }

    @Override
    public String toString() {
        return windowRules + "; " + openTimes + "; " + halfOpenRules;
    }

    /**
     * Sets up a {@link CircuitBreaker}. Values are checked when they are set, and against each other by {@link #build}.
     *
     * @since 0.1
     */
    public static final class Builder {
        double failureRate = 0.5;
        double slowCallRate;
        Duration slowCallDuration = Duration.ZERO;
        int countWindow = 100;
        Duration timeWindow = Duration.ZERO;
        int consecutiveFailures;
        int minCalls;
        Duration openFor = Duration.ofSeconds(30);
        double openForMultiplier = 1;
        Duration openForMax = openFor;
        double openJitter;
        Duration openForHint = Duration.ZERO;
        int halfOpenCalls = 5;
        int halfOpenSuccesses;

        @Nullable Duration probeLease;

        boolean expiredProbesFail = true;
        Duration rampStep = Duration.ZERO;
        double[] rampShares = {};
        private OutcomeRule outcomes = OutcomeRule.standard();
        private boolean totals;

        /** The settings that were set on this builder, unlike those that it began with. */
        final Set<String> touched = new LinkedHashSet<>();

        Builder() {}

        private Builder(CircuitBreakerConfig config) {
            config.windowRules.copyTo(this);
            config.openTimes.copyTo(this);
            config.halfOpenRules.copyTo(this);
            outcomes = config.outcomes;
            totals = config.totals;
        }

        /**
         * The share of calls that must fail for the breaker to open. Default: 0.5.
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
         * The share of calls that must be slow for the breaker to open. Default: slow calls do not matter. Needs
         * {@link #slowCallDuration}. A call may be slow and a failure, and counts as both.
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
         * The duration from which a call counts as slow. Needs {@link #slowCallRate}. Each call then costs two reads of
         * the clock.
         *
         * @param value more than zero; a call that takes just this long is slow
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder slowCallDuration(Duration value) {
            touched.add("slowCallDuration");
            slowCallDuration = Require.positive("slowCallDuration", value);
            return this;
        }

        /**
         * Judges the last calls, this many of them. Default: 100.
         *
         * <p>Exact with any number of threads: at each moment the counts are those of exactly the last calls, in the
         * order in which they were recorded. A call costs one write, a success among successes none.
         *
         * @param calls from 1 to 100000
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder countWindow(int calls) {
            touched.add("countWindow");
            countWindow = Require.range("countWindow", calls, 1, CountWindow.MAX);
            timeWindow = Duration.ZERO;
            consecutiveFailures = 0;
            return this;
        }

        /**
         * Judges the calls that ended within this time. Use it where the number of calls in a given time varies a lot.
         *
         * <p>Counts are kept in 26 to 64 buckets, whose width is the smallest possible of 1, 2, 5, 10, 20, ...
         * nanoseconds: 200 ms for a window of 10 seconds. No outcome counts that is older than the window; an outcome
         * is dropped up to two buckets earlier, at most one if the window is a multiple of their width. Threads that
         * record at the same time may each judge without the call of the other, but never both: no call is lost. Each
         * call costs one read of the clock and one write, to a counter that is striped when threads contend for it.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder timeWindow(Duration value) {
            touched.add("timeWindow");
            timeWindow = Require.positive("timeWindow", value);
            consecutiveFailures = 0;
            return this;
        }

        /**
         * Opens when this many calls failed one after the other, in the order in which they ended. When half-open, the
         * first probe that fails opens the breaker again. Replaces a window and its rates.
         *
         * @param calls from 1
         * @return this
         * @throws IllegalArgumentException if it is less than 1
         */
        public Builder consecutiveFailures(int calls) {
            touched.add("consecutiveFailures");
            consecutiveFailures = Require.range("consecutiveFailures", calls, 1, Integer.MAX_VALUE);
            timeWindow = Duration.ZERO;
            slowCallRate = 0;
            slowCallDuration = Duration.ZERO;
            minCalls = 0;
            return this;
        }

        /**
         * How many calls must be in the window before it is judged. Default: 20, or the size of a count window if that
         * is less.
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
         * How long the breaker stays open, the same each time. Default: 30 seconds.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} for no end
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder openFor(Duration value) {
            return openFor(value, 1, value);
        }

        /**
         * How long the breaker stays open, longer each time that it opens again without having been closed.
         *
         * @param initial the first open time, more than zero
         * @param multiplier what the open time is multiplied by each time, from 1
         * @param max the longest open time, at least the first
         * @return this
         * @throws NullPointerException if a value is null
         * @throws IllegalArgumentException if a value is out of its range
         */
        public Builder openFor(Duration initial, double multiplier, Duration max) {
            OpenTimes.requireGrowth(initial, multiplier, max);
            openFor = initial;
            openForMultiplier = multiplier;
            openForMax = max;
            return this;
        }

        /**
         * Shortens each open time by a random share, so that many instances do not probe at once. Default: 0, not at
         * all.
         *
         * @param ratio the largest share, from 0 to less than 1; 0.2 makes 30 seconds something between 24 and 30
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder openJitter(double ratio) {
            openJitter = OpenTimes.requireJitter(ratio);
            return this;
        }

        /**
         * Stays open as long as the outcome that opens the breaker asks for, if that is longer than the open time.
         * Default: zero, hints are ignored. Hints come from {@link OutcomeRule#retryAfterNanos};
         * {@link OutcomeRule#DO_NOT_RETRY} is none, because it is about one call.
         *
         * @param max the longest hint that is followed; a longer one counts as this, zero ignores all
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is negative
         */
        public Builder openForHint(Duration max) {
            openForHint = Require.notNegative("openForHint", max);
            return this;
        }

        /**
         * How many probes a half-open breaker admits in all. Default: 5. It does not wait for all of them: as soon as
         * those that have ended decide whether the limits will be met, it closes or opens again.
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
         * How many probes must succeed for the breaker to close. It opens again once so many have failed that this
         * cannot be reached: if all must succeed, at the first failure. Default: 0, the failure rate decides, or, with
         * {@link #consecutiveFailures}, all must succeed. How many may be slow is up to {@link #slowCallRate}.
         *
         * @param value from 0 for none to 1000, and at most {@link #halfOpenCalls}
         * @return this
         * @throws IllegalArgumentException if it is out of its range
         */
        public Builder halfOpenSuccesses(int value) {
            halfOpenSuccesses = Require.range("halfOpenSuccesses", value, 0, Probes.MAX);
            return this;
        }

        /**
         * How long a probe may take. Default: as long as the breaker stays open the first time, but at least 30
         * seconds; set it if healthy calls take longer. A probe that has not ended by then is given up, and its result
         * is ignored when it comes.
         *
         * @param value more than zero; {@link dev.levee.core.Deadline#FOREVER} for no end
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is not more than zero
         */
        public Builder probeLease(Duration value) {
            probeLease = Require.positive("probeLease", value);
            return this;
        }

        /**
         * Whether a probe that is given up counts as a failure and as slow. Default: true.
         *
         * @param value true for a failure, false to lease its permit to another probe
         * @return this
         */
        public Builder expiredProbesFail(boolean value) {
            expiredProbesFail = value;
            return this;
        }

        /**
         * Admits traffic again in steps after the probes have succeeded, instead of all at once. Default: no ramp. Use
         * it for a dependency that is overrun by full traffic when it has just recovered: cold caches, connections to
         * be opened.
         *
         * <p>{@code ramp(ofSeconds(10), 0.1, 0.25, 0.5)} admits 10 % of calls for ten seconds, 25 % for ten, 50 % for
         * ten, and then closes. Which calls is not left to chance: of any hundred ten, and of callers that take turns
         * each its share. Outcomes of the whole ramp are judged together by the limits of the closed breaker, but as
         * soon as {@link #halfOpenCalls} have ended if that is less than {@link #minCalls}; over the limit, the breaker
         * opens again, for as long as if a probe had failed. Steps end by time alone: without calls the breaker closes
         * as well.
         *
         * @param step how long each step lasts, more than zero
         * @param shares the share of calls that each step admits, rising, more than 0 and at most 1; none for no ramp
         * @return this
         * @throws NullPointerException if a value is null
         * @throws IllegalArgumentException if a value is out of its range or the shares do not rise
         */
        public Builder ramp(Duration step, double... shares) {
            Require.positive("ramp step", step);
            HalfOpenRules.requireRising(Require.nonNull("ramp shares", shares));
            rampStep = shares.length == 0 ? Duration.ZERO : step;
            rampShares = shares.clone();
            return this;
        }

        /**
         * What counts as a failure. Default: {@link OutcomeRule#standard()}.
         *
         * @param value the rule
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder outcomes(OutcomeRule value) {
            outcomes = Require.nonNull("outcomes", value);
            return this;
        }

        /**
         * Changes what counts as a failure, starting from the rule that is set.
         *
         * @param change gets the rule and returns the new one
         * @return this
         * @throws NullPointerException if it is null or returns null
         */
        public Builder outcomes(UnaryOperator<OutcomeRule> change) {
            return outcomes(Require.nonNull("change", change).apply(outcomes));
        }

        /**
         * Whether to count calls by outcome, and refusals: a write to a striped counter for each call. Default: false.
         *
         * @param value true to count
         * @return this
         */
        public Builder totals(boolean value) {
            totals = value;
            return this;
        }

        /**
         * {@return the settings}
         *
         * @throws IllegalArgumentException if settings contradict each other: more than one window was set, a rate
         *     together with {@link #consecutiveFailures}, only one of the two for slow calls, a {@link #minCalls} above
         *     the size of a count window, or more {@link #halfOpenSuccesses} than {@link #halfOpenCalls}
         */
        public CircuitBreakerConfig build() {
            return new CircuitBreakerConfig(this);
        }
    }
}
