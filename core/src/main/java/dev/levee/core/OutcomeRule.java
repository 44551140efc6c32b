package dev.levee.core;

import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What counts as a failure: written once, shared by retry, breaker and balancer.
 *
 * <pre>{@code
 * OutcomeRule rule = OutcomeRule.standard()
 *     .onError(NotFoundException.class, Verdict.IGNORED)
 *     .onResult(Response.class, r -> r.status() == 503, Verdict.THROTTLED);
 *
 * OutcomeRule onlyThese = OutcomeRule.failures(IOException.class, TimedOutException.class);
 * }</pre>
 *
 * <p>Each method returns a new rule that tests its own condition first, so the last one written wins. Rules are called
 * on the hot path by many threads: they must be thread-safe, quick, and must not block. A condition that throws does
 * not apply, and a rule that throws or returns null leaves the verdict to {@link #standard()}; either is logged once
 * for each rule, and does not change what the caller gets. A {@link RefusedException} is shown to {@link #judgeRefusal}
 * and not to {@link #judge}: a refusal by an inner policy is {@link Verdict#IGNORED} and may be repeated, unless a rule
 * names it. See ADR 7.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface OutcomeRule {
    /**
     * A hint that means: do not repeat this at all. It is the longest wait there is, so that code that only compares
     * hints obeys it too.
     */
    long DO_NOT_RETRY = Long.MAX_VALUE;

    /**
     * A condition on an error or a result.
     *
     * @param <V> the class of the error or the result
     * @since 0.1
     */
    @FunctionalInterface
    interface Condition<V> {
        /**
         * Tests an error or a result. Called on the hot path by many threads.
         *
         * @param value the error or the result
         * @return whether the condition holds
         * @throws Exception if that cannot be said; then the condition does not apply, and the rule is logged once
         */
        boolean test(V value) throws Exception;
    }

    /**
     * An exception that knows what it means, because the code that made it has seen more than its class says: whether a
     * call was sent, or that the other side has answered. {@link #standard()} goes by that, so that policies around a
     * client whose exceptions are judged need no rule of their own. Other rules see an exception like any other.
     *
     * <p>For authors of clients and interceptors. Implementations are exceptions; what they answer never changes. See
     * ADR 182.
     *
     * @since 0.1
     */
    interface Judged {
        /**
         * Returns what the failure means.
         *
         * @return the verdict
         */
        Verdict verdict();

        /**
         * Returns how long the dependency asked to be left alone.
         *
         * @return nanoseconds, rounded up, {@link #DO_NOT_RETRY}, or {@link RefusedException#UNKNOWN}
         */
        long retryAfterNanos();
    }

    /**
     * Judges an outcome.
     *
     * @param result what the call returned; null if it threw, or returned null
     * @param error what it threw, taken out of {@code CompletionException}; null if it returned
     * @return the verdict
     */
    Verdict judge(@Nullable Object result, @Nullable Throwable error);

    /**
     * Judges a refusal by a policy further in. By default no refusal is named.
     *
     * @param refusal the refusal
     * @return the verdict; {@link Verdict#IGNORED} also keeps a retry and a hedge from repeating it. Null if this rule
     *     does not name it: then breakers and balancers ignore it, and a retry or a hedge may repeat it
     */
    default @Nullable Verdict judgeRefusal(RefusedException refusal) {
        return null;
    }

    /**
     * Returns how long the dependency asked to be left alone. Called only when the verdict is not
     * {@link Verdict#SUCCESS}.
     *
     * @param result what the call returned
     * @param error what it threw
     * @return nanoseconds, rounded up, {@link #DO_NOT_RETRY}, or {@link RefusedException#UNKNOWN}
     */
    default long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        return error instanceof RefusedException refused ? refused.retryAfterNanos() : RefusedException.UNKNOWN;
    }

    /**
     * Returns the rule that policies use by default.
     *
     * <p>Every result is a success, null too. {@code CancellationException}, and as the error or any of its causes what
     * the JDK throws when a thread is interrupted ({@code InterruptedException}, {@code ClosedByInterruptException},
     * {@code FileLockInterruptionException}, {@code InterruptedIOException} but for its subclasses and other messages,
     * {@code SocketException} with "Closed by interrupt"), are {@link Verdict#IGNORED} as long as the deadline of the
     * call has not passed; {@code ConnectException}, {@code NoRouteToHostException}, {@code UnknownHostException},
     * {@code UnresolvedAddressException} and {@code HttpConnectTimeoutException} are {@link Verdict#NOT_SENT};
     * everything else that is thrown is a {@link Verdict#FAILURE}, {@code Error} included.
     *
     * <p>An exception that is {@link Judged} means what it says. One that only carries another one is judged by what it
     * carries: {@code CompletionException}, {@code ExecutionException}, {@code UncheckedIOException},
     * {@code UndeclaredThrowableException}, {@code InvocationTargetException} and {@code SQLException}, up to 16 deep;
     * a refusal in one of them is judged as a refusal. {@link #onError(Class, Verdict)} looks through the same
     * wrappers; for the wrapper of a client use {@link #onCause}.
     *
     * @return the rule, always the same one
     */
    static OutcomeRule standard() {
        return StandardRule.INSTANCE;
    }

    /**
     * Returns a rule by which only errors of some types are failures.
     *
     * <p>Every result is a {@link Verdict#SUCCESS}, null too. An error of a listed type, or of a subclass, is a
     * {@link Verdict#FAILURE}, also within a wrapper that {@link #standard()} looks through; every other error is
     * {@link Verdict#IGNORED}, {@code Error} included. {@code InterruptedException} and {@code CancellationException}
     * are judged as {@link #standard()} does, unless they, or a subclass, are listed by name:
     * {@code IllegalStateException} or {@code Exception} do not include them.
     *
     * <p>Nothing is {@link Verdict#NOT_SENT} by itself. Where it matters that a call which did not reach the other side
     * may be repeated even if it is not idempotent, add {@code .onError(ConnectException.class, Verdict.NOT_SENT)}.
     *
     * @param types the types of errors that are failures, at least one
     * @return the rule; add to it with {@link #onError(Class, Verdict)} and {@link #onResult}
     * @throws NullPointerException if {@code types} or one of them is null
     * @throws IllegalArgumentException if there is no type
     */
    @SafeVarargs
    static OutcomeRule failures(Class<? extends Throwable>... types) {
        return FailureTypesRule.of(types);
    }

    /**
     * Returns this rule with another verdict for a class of errors. A class of refusals, such as
     * {@code BulkheadFullException}, is named by this: a refusal by a policy further in then has this verdict.
     *
     * @param type the class, with its subclasses
     * @param verdict what they mean
     * @return the new rule
     * @throws NullPointerException if {@code type} or {@code verdict} is null
     */
    default OutcomeRule onError(Class<? extends Throwable> type, Verdict verdict) {
        return ComposedRule.onError(this, type, error -> true, verdict);
    }

    /**
     * Returns this rule with another verdict for errors that were caused, at any depth up to 16, by an error of a
     * class. For clients that wrap failures in an exception of their own. A class of refusals is named by this, as by
     * {@link #onError(Class, Verdict)}.
     *
     * @param type the class of the error or of one of its causes, with its subclasses
     * @param verdict what they mean
     * @return the new rule
     * @throws NullPointerException if {@code type} or {@code verdict} is null
     */
    default OutcomeRule onCause(Class<? extends Throwable> type, Verdict verdict) {
        return ComposedRule.onCause(this, type, verdict);
    }

    /**
     * Returns this rule with another verdict for some errors.
     *
     * @param condition which errors
     * @param verdict what they mean
     * @return the new rule
     * @throws NullPointerException if {@code condition} or {@code verdict} is null
     */
    default OutcomeRule onError(Condition<? super Throwable> condition, Verdict verdict) {
        return ComposedRule.onError(this, condition, verdict);
    }

    /**
     * Returns this rule with another verdict for some errors of a class.
     *
     * @param type the class, with its subclasses
     * @param condition which of them
     * @param verdict what they mean
     * @param <E> the class of errors
     * @return the new rule
     * @throws NullPointerException if {@code type}, {@code condition} or {@code verdict} is null
     */
    default <E extends Throwable> OutcomeRule onError(Class<E> type, Condition<? super E> condition, Verdict verdict) {
        return ComposedRule.onError(this, type, condition, verdict);
    }

    /**
     * Returns this rule with another verdict for some results.
     *
     * @param type the class of results
     * @param condition which of them
     * @param verdict what they mean
     * @param <R> the class of results
     * @return the new rule
     * @throws NullPointerException if {@code type}, {@code condition} or {@code verdict} is null
     */
    default <R> OutcomeRule onResult(Class<R> type, Condition<? super R> condition, Verdict verdict) {
        return ComposedRule.onResult(this, type, condition, verdict);
    }

    /**
     * Returns this rule with another way to find how long the dependency asked to be left alone.
     *
     * @param hint gets result and error of a call that was no success; returns nanoseconds, rounded up,
     *     {@link #DO_NOT_RETRY}, or {@link RefusedException#UNKNOWN}
     * @return the new rule
     * @throws NullPointerException if {@code hint} is null
     */
    default OutcomeRule retryAfter(ToLongBiFunction<@Nullable Object, @Nullable Throwable> hint) {
        return ComposedRule.retryAfter(this, hint);
    }
}
