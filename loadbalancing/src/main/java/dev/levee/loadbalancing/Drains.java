package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes that drain: they get no new calls, and their closer runs when the last call has left or the deadline has
 * come, whichever is first, exactly once for each node. See ADR 46.
 */
final class Drains<A> {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private final String balancer;
    private final long deadlineNanos;
    private final Consumer<? super Endpoint<A>> closer;
    private final Environment environment;
    private final Set<Drain> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    private Drains(String balancer, Duration deadline, Consumer<? super Endpoint<A>> closer, Environment environment) {
        this.balancer = balancer;
        this.deadlineNanos = Nanos.of(deadline);
        this.closer = closer;
        this.environment = environment;
    }

    /** Returns the drains of a balancer; null if nothing is closed. */
    static <A> @Nullable Drains<A> of(String balancer, LoadBalancerConfig<A> config, Environment environment) {
        Duration deadline = config.drainDeadline();
        Consumer<? super Endpoint<A>> closer = config.drainCloser();
        return deadline == null || closer == null ? null : new Drains<>(balancer, deadline, closer, environment);
    }

    /** Begins to drain a node that is no candidate of the set any more. */
    void begin(Node<A> node, Endpoint<A> endpoint) {
        Drain drain = new Drain(endpoint, node.label);
        open.add(drain);
        if (!closed) {
            drain.setDeadline();
        }
        node.close(drain::finish);
        if (closed) {
            drain.finish();
        }
    }

    /** Finishes all that are open, and later ones as soon as they begin. */
    void close() {
        closed = true;
        open.forEach(Drain::finish);
    }

    int open() {
        return open.size();
    }

    /** One node that drains. */
    private final class Drain {
        private final Endpoint<A> endpoint;
        private final String label;
        private final AtomicBoolean finished = new AtomicBoolean();
        private volatile @Nullable Timer timer;

        Drain(Endpoint<A> endpoint, String label) {
            this.endpoint = endpoint;
            this.label = label;
        }

        void setDeadline() {
            try {
                Timer set = environment.schedule(this::finish, deadlineNanos);
                timer = set;
                if (finished.get()) { // the balancer was closed meanwhile
                    set.cancel();
                }
            } catch (Throwable refused) { // by an environment that has been closed: the last call ends the drain
                SafeLog.warn(LOG, "balancer \"{}\": no timer for the drain of endpoint {}", balancer, label, refused);
            }
        }

        void finish() {
            if (!finished.compareAndSet(false, true)) {
                return;
            }
            open.remove(this);
            Timer waiting = timer;
            if (waiting != null) {
                waiting.cancel();
            }
            environment.handOver(this::runCloser); // it must run, whatever the executor says
        }

        private void runCloser() {
            try {
                closer.accept(endpoint);
            } catch (Throwable thrown) {
                SafeLog.warn(LOG, "balancer \"{}\": endpoint {} could not be closed", balancer, label, thrown);
            }
        }
    }
}
