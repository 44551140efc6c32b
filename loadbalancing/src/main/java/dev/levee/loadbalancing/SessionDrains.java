package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoints that take no new sessions: they keep their weight while a strategy by keys may leave its keys there,
 * and then get weight 0, which drains them. {@link #apply} is called one at a time.
 */
final class SessionDrains<A> {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);
    /** How long after it failed an update is made again. */
    private static final long AGAIN_NANOS = 1_000_000_000L;

    private final String balancer;
    private final boolean keepsKeys;
    private final long deadlineNanos;
    private final Environment environment;
    private final Runnable update;
    /** Since when each endpoint takes no new sessions, by its id. */
    private Map<String, Long> since = Map.of();

    private volatile @Nullable Timer timer;
    private volatile boolean closed;

    SessionDrains(
            String balancer, boolean keepsKeys, @Nullable Duration deadline, Environment environment, Runnable update) {
        this.balancer = balancer;
        this.keepsKeys = keepsKeys;
        this.deadlineNanos = deadline == null ? Nanos.NEVER : Nanos.of(deadline);
        this.environment = environment;
        this.update = update;
    }

    /** Returns the endpoints, with weight 0 where keys may stay no longer. */
    Collection<Endpoint<A>> apply(Collection<Endpoint<A>> endpoints) {
        if (since.isEmpty() && endpoints.stream().allMatch(Endpoint::takesNewSessions)) {
            return endpoints;
        }
        long now = environment.clock().nanoTime();
        long wait = Nanos.NEVER;
        Map<String, Long> still = new HashMap<>();
        List<Endpoint<A>> applied = new ArrayList<>(endpoints.size());
        for (Endpoint<A> endpoint : endpoints) {
            if (endpoint.takesNewSessions()) {
                applied.add(endpoint);
                continue;
            }
            long begun = since.getOrDefault(endpoint.id(), now);
            still.put(endpoint.id(), begun);
            long left = deadlineNanos == Nanos.NEVER ? Nanos.NEVER : deadlineNanos - (now - begun);
            applied.add(keepsKeys && left > 0 ? endpoint : endpoint.withWeight(0.0));
            wait = left > 0 ? Math.min(wait, left) : wait;
        }
        since = still;
        schedule(keepsKeys ? wait : Nanos.NEVER);
        return applied;
    }

    private void schedule(long wait) {
        Timer before = timer;
        if (before != null) {
            before.cancel();
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
        } catch (Throwable refused) { // by an environment that has been closed; the update goes on
            SafeLog.warn(LOG, "balancer \"{}\": no timer for sessions that drain", balancer, refused);
        }
    }

    private void timeIsOver() {
        try {
            update.run();
        } catch (Throwable thrown) { // by a gate or a strategy of a user: the set stays as it was
            SafeLog.warn(LOG, "balancer \"{}\": the endpoints could not be updated; tried again", balancer, thrown);
            if (!closed) {
                schedule(AGAIN_NANOS);
            }
        }
    }

    void close() {
        closed = true;
        Timer waiting = timer;
        if (waiting != null) {
            waiting.cancel();
        }
    }
}
