package dev.levee.loadbalancing.discovery;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.OneAtATime;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The endpoints of a source, and for a time those that it has left out since. */
final class LingeringSource<A> implements EndpointSource<A> {
    private static final Logger LOG = LoggerFactory.getLogger(EndpointSource.class);
    /** How long after it threw a receiver gets the endpoints again. */
    private static final long AGAIN_NANOS = 1_000_000_000L;

    private final EndpointSource<A> source;
    private final long nanos;
    private final Environment environment;

    LingeringSource(EndpointSource<A> source, Duration time, Environment environment) {
        this.source = source;
        this.nanos = Nanos.of(time);
        this.environment = Require.nonNull("environment", environment);
    }

    @Override
    public Subscription subscribe(Consumer<? super List<Endpoint<A>>> receiver) {
        Lingering lingering = new Lingering(Require.nonNull("receiver", receiver));
        lingering.source = source.subscribe(lingering::set);
        return lingering;
    }

    /** One subscription. The last list of the source is applied one at a time, as are the ends of times. */
    private final class Lingering implements Subscription {
        private final Consumer<? super List<Endpoint<A>>> receiver;
        private final OneAtATime updates = new OneAtATime(this::update);
        private volatile @Nullable List<Endpoint<A>> latest;
        private volatile boolean closed;
        private volatile @Nullable Timer timer;

        volatile @Nullable Subscription source;

        // State of the update that runs.
        private @Nullable List<Endpoint<A>> shown;
        private final Map<String, Endpoint<A>> left = new TreeMap<>();
        private final Map<String, Long> leftAt = new HashMap<>();

        Lingering(Consumer<? super List<Endpoint<A>>> receiver) {
            this.receiver = receiver;
        }

        void set(List<Endpoint<A>> endpoints) {
            latest = List.copyOf(endpoints);
            updates.run();
        }

        private void update() {
            List<Endpoint<A>> now = latest;
            if (closed || now == null) {
                return;
            }
            long nanoTime = environment.clock().nanoTime();
            Collection<Endpoint<A>> before = shown == null ? List.of() : shown;
            for (Endpoint<A> endpoint : before) {
                left.put(endpoint.id(), endpoint);
                leftAt.put(endpoint.id(), nanoTime);
            }
            for (Endpoint<A> endpoint : now) {
                left.remove(endpoint.id());
                leftAt.remove(endpoint.id());
            }
            shown = now;
            schedule(forget(nanoTime));
            List<Endpoint<A>> all = new ArrayList<>(now);
            all.addAll(left.values());
            receiver.accept(all);
        }

        /** Forgets those whose time is over; returns how long until the next is. */
        private long forget(long nanoTime) {
            long wait = Nanos.NEVER;
            for (Iterator<Map.Entry<String, Long>> each = leftAt.entrySet().iterator(); each.hasNext(); ) {
                Map.Entry<String, Long> one = each.next();
                long remaining = nanos - (nanoTime - one.getValue());
                if (remaining <= 0L) {
                    left.remove(one.getKey());
                    each.remove();
                } else {
                    wait = Math.min(wait, remaining);
                }
            }
            return wait;
        }

        private void schedule(long wait) {
            Timer old = timer;
            if (old != null) {
                old.cancel();
            }
            if (wait == Nanos.NEVER) {
                return;
            }
            try {
                Timer next = environment.schedule(() -> environment.handOver(this::timeIsOver), wait);
                timer = next;
                if (closed) {
                    next.cancel();
                }
            } catch (Throwable refused) { // by an environment that has been closed; the endpoints are told anyway
                SafeLog.warn(
                        LOG,
                        "Endpoints from {}: no timer for those that linger",
                        Text.printable(LingeringSource.this.source),
                        refused);
            }
        }

        /** Forgets, after a time; what the receiver throws then has no source to be thrown to. */
        private void timeIsOver() {
            try {
                updates.run();
            } catch (Throwable thrown) {
                SafeLog.warn(
                        LOG,
                        "Endpoints from {}: the receiver refused them and gets them again",
                        Text.printable(LingeringSource.this.source),
                        thrown);
                if (!closed) {
                    schedule(AGAIN_NANOS);
                }
            }
        }

        @Override
        public void refresh() {
            Subscription open = source;
            if (open != null) {
                open.refresh();
            }
        }

        @Override
        public void close() {
            closed = true;
            Timer waiting = timer;
            if (waiting != null) {
                waiting.cancel();
            }
            Subscription open = source;
            if (open != null) {
                open.close();
            }
        }
    }

    @Override
    public String toString() {
        return source.toString();
    }
}
