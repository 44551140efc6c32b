package dev.levee.loadbalancing;

import dev.levee.core.internal.Require;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/**
 * Endpoints that code sets: where a discovery of your own, an administrator or a test says who is there. Provisional.
 *
 * <p>Thread-safe. Receivers are told on the thread that calls {@link #set}.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class UpdatableEndpoints<A> implements EndpointSource<A> {
    private final CopyOnWriteArrayList<Consumer<? super List<Endpoint<A>>>> receivers = new CopyOnWriteArrayList<>();
    private volatile List<Endpoint<A>> endpoints;

    UpdatableEndpoints(Collection<Endpoint<A>> endpoints) {
        this.endpoints = List.copyOf(Require.nonNull("endpoints", endpoints));
    }

    /**
     * Replaces all endpoints. Of two threads that do so at once either may win.
     *
     * @param value those that are there from now on
     */
    public void set(Collection<Endpoint<A>> value) {
        endpoints = List.copyOf(Require.nonNull("endpoints", value));
        for (Consumer<? super List<Endpoint<A>>> receiver : receivers) {
            receiver.accept(endpoints);
        }
    }

    /**
     * The endpoints that were set last.
     *
     * @return the endpoints
     */
    public List<Endpoint<A>> endpoints() {
        return endpoints;
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        // A wrapper, so that a receiver that subscribes twice is two.
        Consumer<List<Endpoint<A>>> own = Require.nonNull("receiver", receiver)::accept;
        receivers.add(own);
        own.accept(endpoints);
        return () -> receivers.remove(own);
    }

    @Override
    public String toString() {
        return "updatable " + endpoints;
    }
}
