package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Tries a failed call again, after a wait that grows.
 *
 * <p>For failures that pass by themselves. The operation must be safe to repeat. Not around a fallback (it would see the substitute
 * and never repeat), and not around another retry (attempts multiply).
 *
 * <p>Repeated are calls that the rule judges {@code FAILURE}, {@code THROTTLED} or {@code NOT_SENT}, and calls that an inner policy
 * refused. An {@link Error} or an interrupt is never repeated. What the dependency or the refusal asks to wait is a lower bound for the delay, and more than
 * {@link RetryConfig#longestHint} (5 seconds) ends the call at once: it does not wait for a breaker that is open for long. A
 * retry never waits past the total time or the deadline of the call: if the wait does not fit, the call fails now.
 *
 * <p>At the end the last failure is thrown as it is, with the earlier ones (the latest eight) suppressed; a result that counts as a failure is returned.
 * An interrupt during a wait ends the call: the flag is set again and the last failure is thrown with the
 * {@code InterruptedException} suppressed; {@code callInterruptibly} throws the {@code InterruptedException} with the last failure
 * suppressed. The asynchronous form holds no thread while it waits, and its attempts after the first run on the
 * environment's executor.
 *
 * <p>{@code CallContext.current().attempt()} tells the operation which attempt it is. Thread-safe. A call that succeeds at once costs
 * no allocation and, without a total time, no clock read.
 *
 * <p>Events: {@code onAttempt} before each wait. Metrics: {@code retry.repeated}, {@code retry.exhausted}.
 *
 * @since 0.1
 */
public interface Retry extends Around, Measured {
    /**
     * Three attempts with exponential backoff and full jitter.
     *
     * @param name for logs and metrics
     * @return the retry
     * @throws IllegalArgumentException if the name is blank
     */
    static Retry of(String name) {
        return of(name, RetryConfig.builder().build(), Environment.system());
    }

    /**
     * A retry in the machine's time.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @return the retry
     * @throws IllegalArgumentException if the name is blank or a setting is out of its range
     */
    static Retry of(String name, Consumer<? super RetryConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * A retry.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @param environment where time, waiting and randomness come from
     * @return the retry
     * @throws IllegalArgumentException if the name is blank or a setting is out of its range
     */
    static Retry of(String name, Consumer<? super RetryConfig.Builder> configure, Environment environment) {
        RetryConfig.Builder builder = RetryConfig.builder();
        Require.nonNull("configure", configure).accept(builder);
        return of(name, builder.build(), environment);
    }

    /**
     * A retry.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param environment where time, waiting and randomness come from
     * @return the retry
     * @throws IllegalArgumentException if the name is blank
     */
    static Retry of(String name, RetryConfig config, Environment environment) {
        return new BackoffRetry(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.RETRY;
    }
}
