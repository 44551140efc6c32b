package dev.levee.benchmarks;

import dev.failsafe.function.CheckedSupplier;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Asynchronous work of one call, which ends when it is told to, begun or not. Made by each call, with its future a part
 * of every subject's figure: 40 bytes.
 */
final class HeldWork implements Supplier<CompletionStage<String>>, CheckedSupplier<CompletionStage<String>> {
    private final CompletableFuture<String> running = new CompletableFuture<>();

    @Override
    public CompletionStage<String> get() {
        return running;
    }

    /** Completes it. */
    void end(String answer) {
        running.complete(answer);
    }

    /** Waits for {@link #end} on the thread that calls. */
    String await() {
        return running.join();
    }
}
