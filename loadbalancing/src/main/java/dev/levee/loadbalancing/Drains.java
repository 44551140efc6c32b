package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The endpoints that get no new calls any more, until the last call has ended or the deadline has come. */
final class Drains<A> {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    /**
     * What a user wants.
     *
     * @param deadline how long calls in flight may take
     * @param closer what is done then
     */
    record Config<A>(Duration deadline, Consumer<? super Endpoint<A>> closer) {}

    private final String name;
    private final Config<A> config;
    private final Environment environment;
    private final Set<Drain> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    Drains(String name, Config<A> config, Environment environment) {
        this.name = name;
        this.config = config;
        this.environment = environment;
    }

    /** Of a node that no set has as a candidate any more. */
    void begin(Node<A> node, Endpoint<A> endpoint) {
        Drain drain = new Drain(endpoint);
        open.add(drain);
        if (!closed) {
            Timer timer = environment.scheduler().schedule(drain::finish, Nanos.of(config.deadline));
            drain.timer = timer;
            if (drain.finished.get()) { // the balancer was closed meanwhile
                timer.cancel();
            }
        }
        node.close(drain::finish);
        if (closed) {
            drain.finish();
        }
    }

    /** Ends those that are open, and later ones as soon as they begin. */
    void close() {
        closed = true;
        open.forEach(Drain::finish);
    }

    int open() {
        return open.size();
    }

    private final class Drain {
        private final Endpoint<A> endpoint;
        private final AtomicBoolean finished = new AtomicBoolean();
        private volatile @Nullable Timer timer;

        Drain(Endpoint<A> endpoint) {
            this.endpoint = endpoint;
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
            try {
                environment.executor().execute(this::tell);
            } catch (RejectedExecutionException full) { // it must be told all the same
                tell();
            }
        }

        private void tell() {
            try {
                config.closer.accept(endpoint);
            } catch (RuntimeException thrown) {
                LOG.warn("{}: {} could not be closed", name, endpoint.id(), thrown);
            }
        }
    }
}
