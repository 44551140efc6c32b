package dev.levee.loadbalancing;

import dev.levee.core.Operation;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The calls of one key: a balancer and the hash of the key.
 *
 * <p>24 bytes. The JIT removes them where it inlines both {@code forKey} and the method of the view. It does not inline
 * {@link #call} where that has been compiled by itself before, together with the pick (HotSpot: "already compiled into
 * a big method"), which is why {@link LoadBalancer#call(CharSequence, Exchange)} exists beside it.
 */
final class KeyedCalls<A> implements BalancedCalls<A> {
    private final SnapshotBalancer<A> balancer;
    private final long hash;

    KeyedCalls(SnapshotBalancer<A> balancer, long hash) {
        this.balancer = balancer;
        this.hash = hash;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T call(Exchange<? super A, T, X> exchange) throws X {
        return balancer.dispatch(hash, Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> callAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return balancer.start(hash, Require.nonNull("exchange", exchange), null);
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> Operation<T, X> operation(
            Exchange<? super A, T, X> exchange) {
        return new BalancedOperation<>(balancer, hash, Require.nonNull("exchange", exchange));
    }

    @Override
    public <T extends @Nullable Object> Supplier<CompletableFuture<T>> operationAsync(
            Function<? super A, ? extends CompletionStage<T>> exchange) {
        return new BalancedSupplier<>(balancer, hash, Require.nonNull("exchange", exchange));
    }

    @Override
    public Ticket<A> pick() {
        return balancer.take(hash, null);
    }

    @Override
    public Explanation<A> explain() {
        return balancer.explain(hash);
    }

    @Override
    public String toString() {
        return balancer + " for a key of hash " + Long.toHexString(hash);
    }
}
