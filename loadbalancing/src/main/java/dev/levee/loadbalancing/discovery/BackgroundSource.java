package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A source that is subscribed to on the executor, so that no thread waits for its first answer. */
final class BackgroundSource<A> implements EndpointSource<A> {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    private static final Subscription CLOSED = () -> {};

    private final EndpointSource<A> source;
    private final Environment environment;

    BackgroundSource(EndpointSource<A> source, Environment environment) {
        this.source = source;
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        Require.nonNull("receiver", receiver);
        AtomicReference<@Nullable Subscription> subscription = new AtomicReference<>();
        environment.executor().execute(() -> begin(receiver, subscription));
        return new Subscription() {
            @Override
            public void close() {
                Subscription open = subscription.getAndSet(CLOSED);
                if (open != null) {
                    open.close();
                }
            }

            @Override
            public void refresh() {
                Subscription open = subscription.get();
                if (open != null) {
                    open.refresh();
                }
            }
        };
    }

    private void begin(
            Consumer<? super List<Endpoint<A>>> receiver, AtomicReference<@Nullable Subscription> subscription) {
        if (subscription.get() == CLOSED) {
            return;
        }
        Subscription open;
        try {
            open = source.subscribe(endpoints -> {
                if (subscription.get() != CLOSED) {
                    receiver.accept(endpoints);
                }
            });
        } catch (RuntimeException | Error thrown) { // no caller is left to throw it to
            LOG.error("Endpoints from {}: the subscription failed and is not repeated", source, thrown);
            return;
        }
        if (!subscription.compareAndSet(null, open)) {
            open.close(); // closed meanwhile
        }
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
