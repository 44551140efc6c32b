package dev.levee.ratelimit.concurrency;

import dev.levee.core.Criticality;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Adaptive throttling at the client: refuses a share of the calls here while the dependency refuses too many there, so
 * that it need not spend its time on refusals.
 *
 * <pre>{@code
 * OutcomeRule rule = OutcomeRule.standard().onError(TooManyRequests.class, Verdict.THROTTLED);
 * AdaptiveThrottle throttle = AdaptiveThrottle.of("orders", c -> c.outcomes(rule));
 * }</pre>
 *
 * <p>A call is refused with the probability {@code max(0, (requests - K * accepts) / (requests + 1))}: requests are the
 * calls that have ended in the last two minutes, those that were refused here included; accepts are those of them that
 * the dependency has accepted. Each {@link Criticality} has figures of its own: a dependency refuses the less critical
 * ones first, and they are then throttled alone.
 *
 * <p>Use it around calls to a dependency that says when it is overloaded, inside of the retry, so that each attempt is
 * a request. Not in place of a breaker: what failed was accepted. Not where refusals are not told apart from failures.
 *
 * <p>Accepted is every outcome but {@code THROTTLED} and {@code NOT_SENT}. A call that a policy further in has refused
 * was no request. Calls in flight are none yet: a burst is no evidence, and a dependency that hangs is for a timeout.
 *
 * <p>Thread-safe and lock-free; allocates nothing and never blocks. A call reads 24 words and writes two. Memory is
 * bounded: four times 24 words. Time that stands still or jumps back makes no call pass that would not have.
 *
 * <p>Metrics, of each criticality: {@code throttle.refusal.probability.critical.plus} and so on for {@code critical},
 * {@code sheddable.plus} and {@code sheddable}; and {@code throttle.refused}, how many calls were refused since the
 * start.
 *
 * @see <a href="https://sre.google/sre-book/handling-overload/">Google: Site Reliability Engineering, chapter 21,
 *     "Handling Overload", section "Client-Side Throttling" (2016)</a>
 * @since 0.1
 */
public interface AdaptiveThrottle extends Gate, Measured {
    /**
     * Makes a throttle with the defaults, in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveThrottle of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a throttle with the defaults.
     *
     * @param name for logs, metrics and refusals
     * @param environment supplies time and randomness
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveThrottle of(String name, Environment environment) {
        return of(name, AdaptiveThrottleConfig.builder().build(), environment);
    }

    /**
     * Makes a throttle in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static AdaptiveThrottle of(String name, Consumer<? super AdaptiveThrottleConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a throttle.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets what differs from the defaults
     * @param environment supplies time and randomness
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static AdaptiveThrottle of(
            String name, Consumer<? super AdaptiveThrottleConfig.Builder> configure, Environment environment) {
        AdaptiveThrottleConfig config = Require.configured(
                Kind.SHEDDER.label(),
                name,
                AdaptiveThrottleConfig.builder(),
                configure,
                AdaptiveThrottleConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a throttle in {@link Environment#system()}.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveThrottle of(String name, AdaptiveThrottleConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a throttle.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment supplies time and randomness
     * @return the throttle
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static AdaptiveThrottle of(String name, AdaptiveThrottleConfig config, Environment environment) {
        return new WindowedThrottle(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.SHEDDER;
    }

    /**
     * Returns with which probability a call would be refused now.
     *
     * @param criticality of the call
     * @return from 0 to less than 1
     * @throws NullPointerException if it is null
     */
    double refusalProbability(Criticality criticality);
}
