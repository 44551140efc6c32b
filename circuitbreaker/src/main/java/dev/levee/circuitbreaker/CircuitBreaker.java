package dev.levee.circuitbreaker;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * A circuit breaker: stops calls to a dependency that fails, and finds out when it works again.
 *
 * <p>Use one for each dependency whose failures belong together (one host, one database), outside the timeout and
 * inside the retry. For one breaker per host see {@code Keyed}. Not for bounding a rate or calls in flight, and not
 * where failures of some callers say nothing about the others.
 *
 * <pre>{@code
 * CircuitBreaker breaker =
 *         CircuitBreaker.of("payments", c -> c.failureRate(0.5).countWindow(100).openFor(ofSeconds(30)));
 * Receipt receipt = breaker.call(() -> client.charge(order));
 * }</pre>
 *
 * <p><b>States.</b> {@link State#CLOSED} admits and judges: when the failure rate or the slow-call rate of its window
 * reaches the limit, it opens. {@link State#OPEN} refuses until the open time is over. {@link State#HALF_OPEN} admits a
 * fixed number of probes in all, each of which holds a lease; as soon as their outcomes decide whether the limits will
 * be met, it closes or opens again. With a {@code ramp} it does not close at once but becomes {@link State#RAMPING}: it
 * admits a share of the calls that rises in steps, opens again if the limits are reached, and closes at the end. The
 * other states are set by hand and left by hand, except that {@link #forceOpen(Duration)} ends by time.
 *
 * <p><b>What counts.</b> A verdict of {@code FAILURE}, {@code THROTTLED} or {@code NOT_SENT} is a failure;
 * {@code IGNORED} does not count and gives the permit of a probe back. An outcome counts in the epoch that admitted the
 * call, that is, until the next change of state or {@link #reset}; later it neither closes, nor opens, nor delays
 * anything.
 *
 * <p><b>Time.</b> Nothing runs in the background. A change that is due by time is made by the next call,
 * {@link #state}, {@link #snapshot} or {@link #measure}, as of the time at which it was due. So what a breaker does
 * depends on when things happened, never on when it was read.
 *
 * <p><b>Cost.</b> Thread-safe, lock-free, allocates on a change of state only. A closed breaker without a slow-call
 * rule and without a time window reads no clock, admits by one read, and writes nothing for a success as long as all
 * calls in the window succeeded. An open one reads the clock once.
 *
 * <p><b>Metrics.</b> {@code breaker.state} (the ordinal of {@link State}), {@code breaker.time.in.state.nanos}
 * (nanoseconds), {@code breaker.window.calls}, {@code breaker.window.failures}, {@code breaker.window.slow},
 * {@code breaker.failure.rate} and {@code breaker.slow.rate} (0 to 1; not a number without calls): of the window if
 * closed or observing, of the probes that have ended if half-open, of the ramp so far if ramping, of what opened it if
 * open, else none. With a {@code ramp} also {@code breaker.ramp.share}, the share of calls that is admitted now: 1 if
 * closed, 0 if open or half-open. With {@code totals} also {@code breaker.calls.succeeded}, {@code .failed},
 * {@code .slow}, {@code .ignored}, {@code .late} (those of the former that ended in another epoch) and
 * {@code .refused}, since the breaker was made; a call that was admitted while the breaker was disabled is not among
 * them. Each change of state is one line in the log, at WARN when outcomes open it and else at INFO, and one
 * {@code onStateChange} of the environment's listener.
 *
 * @since 0.1
 */
public interface CircuitBreaker extends Gate, Measured {
    /** The states of a breaker: what it does with calls. */
    enum State {
        /** Admits all, and opens when too many fail. */
        CLOSED,
        /** Refuses all, until the open time is over. */
        OPEN,
        /** Admits a few probes, whose outcomes decide whether it closes. */
        HALF_OPEN,
        /** Refuses all, until it is reset or the time that was given with it is over. */
        FORCED_OPEN,
        /** Admits all and records nothing, until it is reset. */
        DISABLED,
        /** Admits all and records them, but never opens, until it is reset. */
        OBSERVE_ONLY,
        /** Admits a share of calls that rises in steps, after the probes have succeeded; only with a {@code ramp}. */
        RAMPING
    }

    /**
     * The state and the counts of a breaker at one moment.
     *
     * @param state what it does with calls
     * @param calls how many calls were counted, see {@link CircuitBreaker}; of a run of failures its length
     * @param failures how many of them failed
     * @param slowCalls how many of them were slow
     * @param nanosInState how long it has been in that state, in nanoseconds
     * @since 0.1
     */
    record Snapshot(State state, long calls, long failures, long slowCalls, long nanosInState) {
        /**
         * Returns the share of calls that failed.
         *
         * @return from 0 to 1; not a number without calls
         */
        public double failureRate() {
            return Counts.rate(failures, calls);
        }

        /**
         * Returns the share of calls that were slow.
         *
         * @return from 0 to 1; not a number without calls
         */
        public double slowCallRate() {
            return Counts.rate(slowCalls, calls);
        }
    }

    /**
     * Makes a breaker with the defaults of {@link CircuitBreakerConfig} in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @return the breaker
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CircuitBreaker of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a breaker with the defaults of {@link CircuitBreakerConfig}.
     *
     * @param name for logs, metrics and refusals
     * @param environment the source of time and randomness, and the listener for changes of state
     * @return the breaker
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CircuitBreaker of(String name, Environment environment) {
        return of(name, config -> {}, environment);
    }

    /**
     * Makes a breaker in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @return the breaker
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or settings contradict each other
     */
    static CircuitBreaker of(String name, Consumer<? super CircuitBreakerConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a breaker.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param environment the source of time and randomness, and the listener for changes of state
     * @return the breaker
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, a setting is out of its range,
     *     or settings contradict each other
     */
    static CircuitBreaker of(
            String name, Consumer<? super CircuitBreakerConfig.Builder> configure, Environment environment) {
        CircuitBreakerConfig config = Require.configured(
                Kind.BREAKER.label(),
                name,
                CircuitBreakerConfig.builder(),
                configure,
                CircuitBreakerConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a breaker in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @return the breaker
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CircuitBreaker of(String name, CircuitBreakerConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a breaker.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment the source of time and randomness, and the listener for changes of state
     * @return the breaker
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static CircuitBreaker of(String name, CircuitBreakerConfig config, Environment environment) {
        return new EpochBreaker(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.BREAKER;
    }

    /**
     * Returns what it does with a call that comes now. Makes a change that is due.
     *
     * @return the state
     */
    State state();

    /**
     * Returns its state and counts now. Makes a change that is due.
     *
     * @return the state with its counts
     */
    Snapshot snapshot();

    /** Refuses every call until {@link #reset}. Does nothing if it does so already. */
    void forceOpen();

    /**
     * Refuses every call for a time, and then becomes half-open. For a maintenance whose end is known. The time begins
     * anew if it is forced open already.
     *
     * @param time more than zero; 146 years or more means until {@link #reset}
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it is not more than zero
     */
    void forceOpen(Duration time);

    /**
     * Becomes half-open now, from any state: admits its probes, whose outcomes decide whether it closes or opens. Does
     * nothing if it is half-open already. Unlike {@link #allowProbe}, it ends a state that was set by hand.
     */
    void halfOpen();

    /** Admits every call and records nothing until {@link #reset}. Does nothing if it does so already. */
    void disable();

    /** Admits every call and records it, but never opens, until {@link #reset}. Does nothing if it does so already. */
    void observeOnly();

    /**
     * Returns the settings that it works by now, all of which can be read.
     *
     * @return those it was made with, or of the last {@link #reconfigure}
     */
    CircuitBreakerConfig config();

    /**
     * Replaces the settings. Does not block, and changes no state by itself.
     *
     * <p>What has begun continues as it began: an open time, the permits and leases of probes, a ramp, a state that was
     * set by hand. Calls in flight count as if nothing had happened. The outcomes in the window are kept if the new one
     * is of the same size and kind, else it begins empty; it is judged by the new limits when the next outcome comes.
     *
     * <p>Three settings are part of how calls are made and must stay: the rule for outcomes, whether totals are
     * recorded, and that no call is timed to see whether it is slow (a rule for slow calls can be changed or dropped,
     * but not added).
     *
     * @param config usually made by {@code breaker.config().toBuilder()}
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it changes what must stay
     */
    void reconfigure(CircuitBreakerConfig config);

    /** Closes the breaker, whatever its state, and drops all that was recorded; calls in flight will not count. */
    void reset();
}
