package dev.levee.benchmarks;

import dev.failsafe.function.CheckedSupplier;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * Asynchronous work that has not ended when it is guarded: every call makes a new future, which {@link #end} completes.
 *
 * <p>The future is part of every subject's figure: 24 bytes.
 */
@State(Scope.Thread)
public class AsyncWork implements Supplier<CompletionStage<String>>, CheckedSupplier<CompletionStage<String>> {
    private CompletableFuture<String> running = new CompletableFuture<>();

    @Override
    public CompletionStage<String> get() {
        running = new CompletableFuture<>();
        return running;
    }

    /** Completes the latest future. */
    void end() {
        running.complete("answer");
    }
}
