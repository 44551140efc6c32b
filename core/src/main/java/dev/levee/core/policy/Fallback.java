package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Answers a failed call with a substitute: a value, a function of the failure, or the first of several sources that has
 * one.
 *
 * <p>Put it outermost in a pipeline: what stands around it sees only the substitute. Use it where a stale or empty
 * answer is better than none, and not where the caller must know (a payment). The substitute must fit the type of the
 * guarded call, which the compiler cannot check: use one fallback per kind of call. Around a client that
 * {@link dev.levee.core.Policy#wrap} guards it can: {@link #client} asks another implementation of the interface, a
 * value that does not fit a method is refused when the client is wrapped, and any other substitute that does not fit
 * counts as a source that throws a {@code ClassCastException} with the names of both.
 *
 * <pre>{@code
 * Fallback stale = Fallback.chain("prices", c -> c
 *     .then("cache", failure -> cache.get("prices"))             // asked first
 *     .thenAsync("replica", failure -> replica.pricesAsync())    // asked if the cache throws
 *     .thenValue("empty", List.of()));                           // cannot fail
 * }</pre>
 *
 * <p>By default it replaces every exception, a refusal included, but no {@link Error}, no {@code InterruptedException}
 * or {@link dev.levee.core.InterruptedWaitException} and no {@code CancellationException}; and nothing of a call that
 * was cancelled or has lost against another attempt of a hedge, whatever is chosen. An exception of another type by
 * which code answers an interrupt, such as {@code ClosedByInterruptException}, is one like any other: choose by
 * {@link FallbackConfig.Builder#when} if it is not to be replaced. The sources of a chain are asked in turn until one
 * answers (null is an answer); each is given the original failure. If all throw, what the last one threw is thrown; in
 * a blocking call, and if it is a new exception, with the original failure and those of the earlier sources suppressed.
 * A source that throws an {@code Error}, or is interrupted or cancelled, ends the chain.
 *
 * <p>Sources run in the context of the call: blocking ones on the thread that failed, so keep them short in
 * asynchronous calls; asynchronous ones hold no thread, and a cancel reaches the one that runs. In a blocking call the
 * caller waits for an asynchronous source: until the call's deadline, after which the next source is asked, or until it
 * is interrupted, which cancels the source and throws the original failure with the flag set ({@code callInterruptibly}
 * throws the {@code InterruptedException}).
 *
 * <p>Thread-safe. A call that does not fail costs nothing.
 *
 * <p>Events: {@code onDegraded}, with the source that answered. Metrics: {@code fallback.degraded} (calls that got a
 * substitute); for each source of a chain {@code fallback.substitutes} (calls that it answered);
 * {@code fallback.failed} (calls for which no source had an answer).
 *
 * @since 0.1
 */
public interface Fallback extends Around, Measured {
    /**
     * Makes a fallback for every exception, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param source returns the substitute for a failure, on the thread that failed; may return null
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(String name, Function<? super Throwable, ? extends @Nullable Object> source) {
        return of(name, source, Environment.system());
    }

    /**
     * Makes a fallback for every exception.
     *
     * @param name for metrics
     * @param source returns the substitute for a failure, on the thread that failed; may return null
     * @param environment supplies the listener, and waiting
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(
            String name, Function<? super Throwable, ? extends @Nullable Object> source, Environment environment) {
        return of(name, FallbackConfig.ORDINARY, source, environment);
    }

    /**
     * Makes a fallback for chosen failures, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param when which failures are replaced; a predicate that throws replaces none; an {@code InterruptedException}
     *     that is replaced in a blocking call sets the flag of the thread again
     * @param source returns the substitute for a failure, on the thread that failed; may return null
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(
            String name,
            Predicate<? super Throwable> when,
            Function<? super Throwable, ? extends @Nullable Object> source) {
        return of(name, when, source, Environment.system());
    }

    /**
     * Makes a fallback for chosen failures.
     *
     * @param name for metrics
     * @param when which failures are replaced; a predicate that throws replaces none; an {@code InterruptedException}
     *     that is replaced in a blocking call sets the flag of the thread again
     * @param source returns the substitute for a failure, on the thread that failed; may return null
     * @param environment supplies the listener, and waiting
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(
            String name,
            Predicate<? super Throwable> when,
            Function<? super Throwable, ? extends @Nullable Object> source,
            Environment environment) {
        FallbackConfig.Builder one = FallbackConfig.builder().when(when).then(Require.name(name), source);
        return of(name, one.build(), environment);
    }

    /**
     * Makes a fallback that answers every exception with the same value, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param value the substitute, which may be null; must not change, for all callers get it
     * @return the fallback
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback value(String name, @Nullable Object value) {
        return value(name, value, Environment.system());
    }

    /**
     * Makes a fallback that answers every exception with the same value.
     *
     * @param name for metrics
     * @param value the substitute, which may be null; must not change, for all callers get it
     * @param environment supplies the listener, and waiting
     * @return the fallback
     * @throws NullPointerException if the name or the environment is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback value(String name, @Nullable Object value, Environment environment) {
        return of(
                name,
                FallbackConfig.builder().thenValue(Require.name(name), value).build(),
                environment);
    }

    /**
     * Makes a fallback that asks another client with the same interface, in {@link Environment#system()}; see
     * {@link FallbackConfig.Builder#thenClient}.
     *
     * @param name for metrics
     * @param type the interface
     * @param substitute gets the method and the arguments of each call that failed
     * @param <I> the interface
     * @return the fallback, for {@link dev.levee.core.Policy#wrap}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the type is no interface
     */
    static <I> Fallback client(String name, Class<I> type, I substitute) {
        return client(name, type, substitute, Environment.system());
    }

    /**
     * Makes a fallback that asks another client with the same interface; see {@link FallbackConfig.Builder#thenClient}.
     *
     * @param name for metrics
     * @param type the interface
     * @param substitute gets the method and the arguments of each call that failed
     * @param environment supplies the listener, and waiting
     * @param <I> the interface
     * @return the fallback, for {@link dev.levee.core.Policy#wrap}
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or the type is no interface
     */
    static <I> Fallback client(String name, Class<I> type, I substitute, Environment environment) {
        FallbackConfig.Builder one = FallbackConfig.builder().thenClient(Require.name(name), type, substitute);
        return of(name, one.build(), environment);
    }

    /**
     * Makes a chain of sources, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param configure names the sources in the order in which they are asked
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or there is no source
     */
    static Fallback chain(String name, Consumer<? super FallbackConfig.Builder> configure) {
        return chain(name, configure, Environment.system());
    }

    /**
     * Makes a chain of sources.
     *
     * @param name for metrics
     * @param configure names the sources in the order in which they are asked
     * @param environment supplies the listener, and waiting
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, or there is no source
     */
    static Fallback chain(String name, Consumer<? super FallbackConfig.Builder> configure, Environment environment) {
        FallbackConfig config = Require.configured(
                Kind.FALLBACK.label(), name, FallbackConfig.builder(), configure, FallbackConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a fallback, in {@link Environment#system()}.
     *
     * @param name for metrics
     * @param config the failures and the sources
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(String name, FallbackConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a fallback.
     *
     * @param name for metrics
     * @param config the failures and the sources
     * @param environment supplies the listener, and waiting
     * @return the fallback
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Fallback of(String name, FallbackConfig config, Environment environment) {
        return new SubstitutingFallback(name, config, environment);
    }

    @Override
    default Kind kind() {
        return Kind.FALLBACK;
    }
}
