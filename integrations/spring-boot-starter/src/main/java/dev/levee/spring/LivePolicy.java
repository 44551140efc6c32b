package dev.levee.spring;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Measured;
import dev.levee.core.Operation;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A policy without state of its own that is exchanged for one with other settings while calls go on: a call belongs to
 * the one that it began with. Costs one volatile read for each call. See ADR 127.
 *
 * @param <P> the interface of the policy
 */
abstract class LivePolicy<P extends Around & Measured> implements Around, Measured {
    private final String name;

    private final Environment environment;

    private volatile LiveState<P> state;

    LivePolicy(String name, Environment environment, P first) {
        this.name = name;
        this.environment = environment;
        this.state = new LiveState<>(first, RetiredCounters.NONE);
    }

    /**
     * What is read of one moment, so that no count is seen in both or in neither.
     *
     * @param current the policy of calls that begin now
     * @param retired what those before it have counted
     */
    private record LiveState<P>(P current, RetiredCounters retired) {}

    final P current() {
        return state.current;
    }

    /** Only from one thread at a time. What is kept is measured by both, and counts there. */
    final void exchange(P next, @Nullable Measured kept) {
        LiveState<P> before = state;
        state = new LiveState<>(next, before.retired.and(before.current, kept));
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Environment environment() {
        return environment;
    }

    @Override
    public final <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation)
            throws X {
        return state.current.around(inner, operation);
    }

    @Override
    public final <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        return state.current.aroundAsync(inner, operation);
    }

    @Override
    public final void measure(Sink sink) {
        LiveState<P> now = state;
        now.retired.measure(now.current, sink);
    }

    @Override
    public final String toString() {
        return state.current.toString();
    }
}
