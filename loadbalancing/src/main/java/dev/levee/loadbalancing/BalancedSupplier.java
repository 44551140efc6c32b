package dev.levee.loadbalancing;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** An asynchronous call that goes to another host each time it is started. */
final class BalancedSupplier<A, T extends @Nullable Object> extends TriedHosts
        implements Supplier<CompletableFuture<T>> {
    private final SnapshotBalancer<A> balancer;
    private final long hash;
    private final Function<? super A, ? extends CompletionStage<T>> exchange;

    BalancedSupplier(
            SnapshotBalancer<A> balancer, long hash, Function<? super A, ? extends CompletionStage<T>> exchange) {
        this.balancer = balancer;
        this.hash = hash;
        this.exchange = exchange;
    }

    @Override
    public CompletableFuture<T> get() {
        return balancer.start(hash, exchange, this);
    }
}
