package dev.levee.spring;

import dev.levee.core.Environment;
import dev.levee.core.Operation;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A pipeline under the name that the configuration gives it, instead of that of its outermost policy. */
record NamedPipeline(String name, Pipeline linked) implements Pipeline {
    @Override
    public List<Policy> policies() {
        return linked.policies();
    }

    @Override
    public Environment environment() {
        return linked.environment();
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Operation<T, X> operation) throws X {
        return linked.call(operation);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Supplier<? extends CompletionStage<T>> operation) {
        return linked.callAsync(operation);
    }

    @Override
    public void measure(Sink sink) {
        linked.measure(sink);
    }

    @Override
    public String toString() {
        return linked.toString();
    }
}
