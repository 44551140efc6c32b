package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.policy.Timeout;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A timeout whose time changes while it is used: a call keeps the time that it began with. See ADR 127. */
final class LiveTimeout implements Timeout {
    private volatile Duration after;

    private final Timeout computed;

    LiveTimeout(String name, Duration after, Environment environment) {
        this.after = after;
        this.computed = Timeout.computed(name, context -> this.after, environment);
    }

    void change(Duration next) {
        after = next;
    }

    Duration after() {
        return after;
    }

    @Override
    public Timeout onExecutor(Executor executor) {
        return computed.onExecutor(executor);
    }

    @Override
    public Timeout discard(Consumer<Object> consumer) {
        return computed.discard(consumer);
    }

    @Override
    public String name() {
        return computed.name();
    }

    @Override
    public Environment environment() {
        return computed.environment();
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        return computed.around(inner, operation);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        return computed.aroundAsync(inner, operation);
    }

    @Override
    public void measure(Sink sink) {
        computed.measure(sink);
    }

    @Override
    public String toString() {
        return "timeout \"" + name() + "\" of " + after;
    }
}
