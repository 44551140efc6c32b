package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Unchecked;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The endpoints of several sources together, as soon as one of them has answered. */
final class MergedSource<A> implements EndpointSource<A> {
    private final List<EndpointSource<A>> sources;

    MergedSource(List<EndpointSource<A>> sources) {
        if (sources.isEmpty()) {
            throw new IllegalArgumentException("sources must be at least 1, but were 0");
        }
        this.sources = sources;
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        Union union = new Union(Require.nonNull("receiver", receiver));
        try {
            for (int i = 0; i < sources.size(); i++) {
                int index = i;
                union.subscriptions.add(sources.get(i).subscribe(endpoints -> union.set(index, endpoints)));
            }
            union.open();
        } catch (Throwable thrown) {
            try {
                union.close();
            } catch (Throwable again) {
                thrown.addSuppressed(again);
            }
            throw thrown;
        }
        return union;
    }

    private final class Union implements Subscription {
        /** Complete before it is handed out. */
        final List<Subscription> subscriptions = new ArrayList<>();

        private final AtomicReferenceArray<@Nullable List<Endpoint<A>>> parts =
                new AtomicReferenceArray<>(sources.size());
        private final OneAtATime publishing;
        private volatile boolean open;

        Union(Consumer<? super List<Endpoint<A>>> receiver) {
            publishing = new OneAtATime(() -> publish(receiver));
        }

        void set(int index, List<Endpoint<A>> endpoints) {
            parts.set(index, List.copyOf(endpoints));
            publishing.run();
        }

        /**
         * Nothing is published until every source has been subscribed to, so that the parts do not arrive one by one.
         */
        void open() {
            open = true;
            publishing.run();
        }

        private void publish(Consumer<? super List<Endpoint<A>>> receiver) {
            if (!open) {
                return;
            }
            List<Endpoint<A>> all = new ArrayList<>();
            boolean answered = false;
            for (int i = 0; i < parts.length(); i++) {
                @Nullable List<Endpoint<A>> part = parts.get(i);
                if (part != null) {
                    answered = true;
                    all.addAll(part);
                }
            }
            if (answered) {
                receiver.accept(all);
            }
        }

        @Override
        public void refresh() {
            subscriptions.forEach(Subscription::refresh);
        }

        @Override
        public void close() {
            open = false;
            Throwable failure = null;
            for (Subscription subscription : subscriptions) {
                try {
                    subscription.close();
                } catch (Throwable thrown) { // the others must be closed too
                    failure = failure == null ? thrown : failure;
                }
            }
            if (failure != null) {
                throw Unchecked.<RuntimeException>asDeclared(failure);
            }
        }
    }

    @Override
    public String toString() {
        return "merged " + sources;
    }
}
