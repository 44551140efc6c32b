package dev.levee.loadbalancing;

import dev.levee.core.Operation;
import org.jspecify.annotations.Nullable;

/**
 * A blocking call that goes to another host each time it is run. 32 bytes, which includes the memory of the first host.
 * See ADR 20.
 */
final class BalancedOperation<A, T extends @Nullable Object, X extends Throwable> extends TriedHosts
        implements Operation<T, X> {
    private final SnapshotBalancer<A> balancer;
    private final long hash;
    private final Exchange<? super A, T, X> exchange;

    BalancedOperation(SnapshotBalancer<A> balancer, long hash, Exchange<? super A, T, X> exchange) {
        this.balancer = balancer;
        this.hash = hash;
        this.exchange = exchange;
    }

    @Override
    public T run() throws X {
        return balancer.dispatch(hash, exchange, this);
    }
}
