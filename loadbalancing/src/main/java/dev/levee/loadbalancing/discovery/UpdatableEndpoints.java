package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A source whose endpoints are set by code: by a discovery of your own, an administrator or a test.
 *
 * <p>Thread-safe. A set is published on a thread that calls {@link #set}, one set at a time to each receiver, and the
 * last set is the last that each receiver gets.
 *
 * @param <A> the type of the addresses
 * @since 0.1
 */
public final class UpdatableEndpoints<A> implements EndpointSource<A> {
    private final CopyOnWriteArrayList<OneAtATime> receivers = new CopyOnWriteArrayList<>();
    private volatile List<Endpoint<A>> endpoints;

    UpdatableEndpoints(Collection<Endpoint<A>> endpoints) {
        this.endpoints = List.copyOf(Require.nonNull("endpoints", endpoints));
    }

    /**
     * Replaces all endpoints. Of two threads that do so at once either may win; the one that comes while a receiver is
     * being served may return before that receiver gets its set.
     *
     * @param value the new endpoints
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a balancer refused the set, which then keeps its old one
     */
    public void set(Collection<Endpoint<A>> value) {
        endpoints = List.copyOf(Require.nonNull("endpoints", value));
        Throwable failure = null;
        for (OneAtATime receiver : receivers) {
            failure = publish(receiver, failure);
        }
        if (failure != null) {
            throw Unchecked.<RuntimeException>asDeclared(failure);
        }
    }

    private static @Nullable Throwable publish(OneAtATime receiver, @Nullable Throwable before) {
        try {
            receiver.run();
            return before;
        } catch (Throwable thrown) { // the others must get it too
            return thrown;
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
        Require.nonNull("receiver", receiver);
        OneAtATime own = new OneAtATime(() -> receiver.accept(endpoints));
        receivers.add(own);
        try {
            own.run();
        } catch (Throwable thrown) {
            receivers.remove(own);
            throw thrown;
        }
        return () -> receivers.remove(own);
    }

    @Override
    public String toString() {
        return "updatable " + endpoints;
    }
}
