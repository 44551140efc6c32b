package dev.levee.core.policy;

import dev.levee.core.InterruptedWaitException;
import dev.levee.core.Invocation;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Fallback}: which failures it replaces, and where the substitutes come from. Immutable.
 *
 * @since 0.1
 */
public final class FallbackConfig {
    /** One less than the suppressed failures that are kept, because the original failure is among them. */
    private static final int MAX_SOURCES = 7;

    static final Predicate<Throwable> ORDINARY = error -> error instanceof Exception
            && !(error instanceof InterruptedException)
            && !(error instanceof InterruptedWaitException)
            && !(error instanceof CancellationException);

    private final Predicate<? super Throwable> when;
    private final List<FallbackSource> chain;

    private FallbackConfig(Builder builder) {
        when = builder.when;
        chain = List.copyOf(builder.chain);
    }

    /**
     * Returns a builder without any source.
     *
     * @return the builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Returns a builder with these settings.
     *
     * @return the builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.when = when;
        builder.chain.addAll(chain);
        return builder;
    }

    /**
     * Returns which failures are replaced.
     *
     * @return the condition
     */
    public Predicate<? super Throwable> when() {
        return when;
    }

    /**
     * Returns the names of the sources.
     *
     * @return in the order in which they are asked; does not change
     */
    public List<String> sources() {
        return chain.stream().map(FallbackSource::name).toList();
    }

    /**
     * Returns the function of a source that answers at once, as set by {@link Builder#then} or
     * {@link Builder#thenValue}.
     *
     * @param name one of {@link #sources}
     * @return the function; null if the source answers later or by the call
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is no such source
     */
    public @Nullable Function<? super Throwable, ? extends @Nullable Object> source(String name) {
        return named(name).now();
    }

    /**
     * Returns the function of a source that answers later, as set by {@link Builder#thenAsync}.
     *
     * @param name one of {@link #sources}
     * @return the function; null if the source answers at once or by the call
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is no such source
     */
    public @Nullable Function<? super Throwable, ? extends CompletionStage<? extends @Nullable Object>> asyncSource(
            String name) {
        return named(name).later();
    }

    /**
     * Returns the function of a source that answers by the call, as set by {@link Builder#thenFor} or
     * {@link Builder#thenClient}.
     *
     * @param name one of {@link #sources}
     * @return the function; null if the source answers by the failure alone
     * @throws NullPointerException if the name is null
     * @throws IllegalArgumentException if there is no such source
     */
    public @Nullable BiFunction<? super Invocation, ? super Throwable, ? extends @Nullable Object> callSource(
            String name) {
        return named(name).byCall();
    }

    private FallbackSource named(String name) {
        Require.nonNull("name", name);
        for (FallbackSource source : chain) {
            if (source.name().equals(name)) {
                return source;
            }
        }
        throw new IllegalArgumentException(
                "name must be one of " + sources() + ", but was \"" + Text.printable(name) + "\"");
    }

    List<FallbackSource> chain() {
        return chain;
    }

    /** Where a substitute comes from; exactly one of the three functions is not null. */
    record FallbackSource(
            String name,
            @Nullable Function<? super Throwable, ? extends @Nullable Object> now,
            @Nullable Function<? super Throwable, ? extends CompletionStage<? extends @Nullable Object>> later,
            @Nullable BiFunction<? super Invocation, ? super Throwable, ? extends @Nullable Object> byCall) {}

    /**
     * Builds the settings of a {@link Fallback}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final List<FallbackSource> chain = new ArrayList<>();
        private Predicate<? super Throwable> when = ORDINARY;

        Builder() {}

        /**
         * Sets which failures are replaced. Default: every exception but {@code InterruptedException},
         * {@code InterruptedWaitException} and {@code CancellationException}.
         *
         * @param value a predicate that throws replaces none; an {@code InterruptedException} that is replaced in a
         *     blocking call sets the flag of the thread again
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder when(Predicate<? super Throwable> value) {
            when = Require.nonNull("when", value);
            return this;
        }

        /**
         * Sets which failures are replaced, by their class.
         *
         * @param type the class, with its subclasses
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder when(Class<? extends Throwable> type) {
            return when(Require.nonNull("type", type)::isInstance);
        }

        /**
         * Adds the next source to ask, which answers at once.
         *
         * @param name for listeners and metrics
         * @param source returns the substitute for a failure; may return null, and may throw
         * @return this
         * @throws NullPointerException if the name or the source is null
         * @throws IllegalArgumentException if the name is blank, has a control character or is taken, or this would be
         *     the eighth source
         */
        public Builder then(String name, Function<? super Throwable, ? extends @Nullable Object> source) {
            return add(new FallbackSource(Require.name(name), Require.nonNull("source", source), null, null));
        }

        /**
         * Adds the next source to ask, which answers later.
         *
         * @param name for listeners and metrics
         * @param source starts the work that gives the substitute for a failure; a stage that fails counts as a source
         *     that throws
         * @return this
         * @throws NullPointerException if the name or the source is null
         * @throws IllegalArgumentException if the name is blank, has a control character or is taken, or this would be
         *     the eighth source
         */
        public Builder thenAsync(
                String name,
                Function<? super Throwable, ? extends CompletionStage<? extends @Nullable Object>> source) {
            return add(new FallbackSource(Require.name(name), null, Require.nonNull("source", source), null));
        }

        /**
         * Adds the last source: a value, which cannot fail.
         *
         * @param name for listeners and metrics
         * @param value the substitute, which may be null; must not change, for all callers get it
         * @return this
         * @throws NullPointerException if the name is null
         * @throws IllegalArgumentException if the name is blank, has a control character or is taken, or this would be
         *     the eighth source
         */
        public Builder thenValue(String name, @Nullable Object value) {
            return then(name, new FixedAnswer(value));
        }

        /**
         * Adds the next source to ask, which answers by the method and the arguments of a client that
         * {@link dev.levee.core.Policy#wrap} guards. For calls that are made in another way it has no answer: it counts
         * as a source that throws.
         *
         * <pre>{@code
         * c.thenFor("stale", (call, failure) -> stale.get(call.method().getName(), call.arguments()))
         * }</pre>
         *
         * @param name for listeners and metrics
         * @param source returns the substitute for a call and its failure, which must be a
         *     {@link Invocation#resultType}; may return a stage of it if the method returns one; may return null, and
         *     may throw
         * @return this
         * @throws NullPointerException if the name or the source is null
         * @throws IllegalArgumentException if the name is blank, has a control character or is taken, or this would be
         *     the eighth source
         */
        public Builder thenFor(
                String name, BiFunction<? super Invocation, ? super Throwable, ? extends @Nullable Object> source) {
            return add(new FallbackSource(Require.name(name), null, null, Require.nonNull("source", source)));
        }

        /**
         * Adds the next source to ask: another client with the same interface. The method that failed is called there,
         * with the same arguments. A method that throws {@code UnsupportedOperationException} has no answer: the next
         * source is asked, and without one the original failure is thrown.
         *
         * @param name for listeners and metrics
         * @param type the interface; a client of another one is refused when it is wrapped
         * @param substitute called as the method is: its blocking methods on the thread that failed
         * @param <I> the interface
         * @return this
         * @throws NullPointerException if an argument is null
         * @throws IllegalArgumentException if the name is blank, has a control character or is taken, the type is no
         *     interface, or this would be the eighth source
         */
        public <I> Builder thenClient(String name, Class<I> type, I substitute) {
            return thenFor(name, new SubstituteClient(type, substitute));
        }

        private Builder add(FallbackSource source) {
            for (FallbackSource earlier : chain) {
                if (earlier.name().equals(source.name())) {
                    throw new IllegalArgumentException(
                            "names of sources must differ, but \"" + source.name() + "\" is there twice");
                }
            }
            Require.range("number of sources", chain.size() + 1, 1, MAX_SOURCES);
            chain.add(source);
            return this;
        }

        /**
         * Returns the settings.
         *
         * @return the settings; later changes of this builder do not change them
         * @throws IllegalArgumentException if there is no source
         */
        public FallbackConfig build() {
            Require.range("number of sources", chain.size(), 1, MAX_SOURCES);
            return new FallbackConfig(this);
        }
    }
}
