package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;

/**
 * Repeats a failed call, after a wait that grows, within a budget.
 *
 * <p>For failures that pass by themselves, of operations that are safe to repeat. Not around a fallback (it would see
 * the substitute and never repeat), and once in a pipeline: of several retries around one call, on any threads that the
 * {@link dev.levee.core.CallContext} reaches, those further in leave to the outer one what that repeats, and share one
 * count of attempts with it.
 *
 * <p><b>What is repeated.</b> Calls that the rule judges {@code FAILURE}, {@code THROTTLED} or {@code NOT_SENT}, and
 * calls that an inner policy refused. An {@link Error} or an interrupt is never repeated. A call that is marked as not
 * idempotent, by {@link RetryConfig.Builder#idempotent} or {@link dev.levee.core.CallContext#notIdempotent}, is
 * repeated only after {@code NOT_SENT} or a refusal. Say true or false: around a timeout, after which it is unknown
 * whether a call was done, a retry that says neither warns when the pipeline is built. See ADR 70.
 *
 * <p><b>When.</b> After the {@link Backoff}; throttled attempts have a backoff of their own, which is longer. What the
 * dependency or the refusal asks to wait is a lower bound for the delay; if it asks for more than
 * {@link RetryConfig#maxHint} (5 seconds) or says {@link dev.levee.core.OutcomeRule#DO_NOT_RETRY}, the call fails at
 * once: it does not wait for a breaker that is open for long. A retry never waits past the total time or the deadline
 * of the call: if the wait does not fit, the call fails now.
 *
 * <p><b>How often.</b> At most {@link RetryConfig#maxAttempts}, and all calls together no more than the
 * {@link RetryBudget} allows: by default a fifth of the first attempts and ten per second, so that retries cannot turn
 * a small outage into a large one. A call that it refuses to repeat fails at once.
 *
 * <p><b>At the end</b> the last failure is thrown as it is; a refusal, and an exception that a blocking call has made
 * itself, with the earlier ones (the latest eight) suppressed. A refusal says whether an earlier attempt may have run
 * ({@link dev.levee.core.RefusedException#mayHaveRun}). A result that counts as a failure is returned. An interrupt
 * during a wait ends the call: the flag is set again and the last failure is thrown with the
 * {@code InterruptedException} suppressed; {@code callInterruptibly} throws the {@code InterruptedException} with the
 * last failure suppressed. The asynchronous form holds no thread while it waits, a cancel of its future reaches the
 * wait and the running attempt, and attempts after the first run on the environment's executor.
 *
 * <p>{@code CallContext.current()} has the number of the attempt and the deadline for the operation. Thread-safe. A
 * call that succeeds at once costs no allocation, one read of the state of the thread and, without a total time, no
 * clock read.
 *
 * <p>Events: {@code onAttempt} before each wait. Metrics: {@code retry.repeated} (extra attempts),
 * {@code retry.exhausted} (calls that failed because attempts or time were used up, or because the dependency asked not
 * to be called again so soon), {@code retry.stood.down} (failures left to a policy further out), {@code retry.refused}
 * (calls that the budget refused to repeat), and those of the {@link RetryBudget}.
 *
 * @since 0.1
 */
public interface Retry extends Around, Measured {
    /**
     * Makes a retry of three attempts with exponential backoff and full jitter, within a budget of its own, in
     * {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Retry of(String name) {
        return of(name, Environment.system());
    }

    /**
     * Makes a retry of three attempts with exponential backoff and full jitter, within a budget of its own.
     *
     * @param name for logs and metrics
     * @param environment supplies time, waiting, threads and randomness
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Retry of(String name, Environment environment) {
        return of(name, RetryConfig.builder().build(), environment);
    }

    /**
     * Makes a retry in {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static Retry of(String name, Consumer<? super RetryConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a retry.
     *
     * @param name for logs and metrics
     * @param configure sets what differs from the defaults
     * @param environment supplies time, waiting, threads and randomness
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or a setting is out of its range
     */
    static Retry of(String name, Consumer<? super RetryConfig.Builder> configure, Environment environment) {
        RetryConfig config = Require.configured(
                Kind.RETRY.label(), name, RetryConfig.builder(), configure, RetryConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a retry in {@link Environment#system()}.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Retry of(String name, RetryConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a retry.
     *
     * @param name for logs and metrics
     * @param config the settings
     * @param environment supplies time, waiting, threads and randomness
     * @return the retry
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Retry of(String name, RetryConfig config, Environment environment) {
        return new BackoffRetry(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.RETRY;
    }
}
