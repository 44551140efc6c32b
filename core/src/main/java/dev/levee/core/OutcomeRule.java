package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.function.Predicate;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What counts as a failure: written once, shared by retry, breaker and balancer.
 *
 * <pre>{@code
 * OutcomeRule rule = OutcomeRule.standard()
 *     .onError(NotFoundException.class, Verdict.IGNORED)
 *     .onResult(Response.class, r -> r.status() == 503, Verdict.THROTTLED);
 * }</pre>
 *
 * <p>Each method gives a new rule that asks its own condition first, so the last one written wins. Rules are called on the hot
 * path by many threads: they must be thread-safe, quick, and must not block. A rule that throws, or returns null,
 * counts as {@link Verdict#FAILURE} and does not change what the caller gets. A {@link RefusedException} is never shown to
 * {@link #judge}: a refusal by an inner policy is always {@link Verdict#IGNORED}.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface OutcomeRule {
    /**
     * A hint that says: do not repeat this at all. As long a wait as there is, so that everything that only compares hints obeys it too.
     */
    long DO_NOT_RETRY = Long.MAX_VALUE;

    /**
     * Judges an outcome.
     *
     * @param result what the call returned; null if it threw, or returned null
     * @param error what it threw, taken out of {@code CompletionException}; null if it returned
     * @return the verdict
     */
    Verdict judge(@Nullable Object result, @Nullable Throwable error);

    /**
     * How long the dependency asked to be left alone. Asked only when the verdict is not {@link Verdict#SUCCESS}.
     *
     * @param result what the call returned
     * @param error what it threw
     * @return nanoseconds, rounded up, {@link #DO_NOT_RETRY}, or {@link RefusedException#UNKNOWN}
     */
    default long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        return error instanceof RefusedException refused ? refused.retryAfterNanos() : RefusedException.UNKNOWN;
    }

    /**
     * The rule that policies use unless told otherwise.
     *
     * <p>Every result is a success, null too. {@code InterruptedException} and {@code CancellationException} are
     * {@link Verdict#IGNORED} as long as the deadline of the call has not passed; {@code ConnectException},
     * {@code NoRouteToHostException} and {@code UnknownHostException} are {@link Verdict#NOT_SENT}; everything else that is thrown
     * is a {@link Verdict#FAILURE}, {@code Error} included.
     *
     * @return the rule, always the same one
     */
    static OutcomeRule standard() {
        return StandardRule.INSTANCE;
    }

    /**
     * This rule, with another verdict for a class of errors.
     *
     * @param type the class, with its subclasses
     * @param verdict what they mean
     * @return the new rule
     */
    default OutcomeRule onError(Class<? extends Throwable> type, Verdict verdict) {
        return ComposedRule.onError(this, Require.nonNull("type", type)::isInstance, verdict);
    }

    /**
     * This rule, with another verdict for some errors.
     *
     * @param condition which errors
     * @param verdict what they mean
     * @return the new rule
     */
    default OutcomeRule onError(Predicate<? super Throwable> condition, Verdict verdict) {
        return ComposedRule.onError(this, condition, verdict);
    }

    /**
     * This rule, with another verdict for some results.
     *
     * @param type the class of results
     * @param condition which of them
     * @param verdict what they mean
     * @param <R> the class of results
     * @return the new rule
     */
    default <R> OutcomeRule onResult(Class<R> type, Predicate<? super R> condition, Verdict verdict) {
        return ComposedRule.onResult(this, type, condition, verdict);
    }

    /**
     * This rule, with another way to find how long the dependency asked to be left alone.
     *
     * @param hint gets result and error of a call that was no success; gives nanoseconds, rounded up,
     *     {@link #DO_NOT_RETRY}, or {@link RefusedException#UNKNOWN}
     * @return the new rule
     */
    default OutcomeRule retryAfter(ToLongBiFunction<@Nullable Object, @Nullable Throwable> hint) {
        return ComposedRule.retryAfter(this, hint);
    }
}
