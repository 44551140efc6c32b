package dev.levee.loadbalancing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler.Timer;
import dev.levee.core.internal.Nanos;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints that take no new sessions: they keep their weight while a strategy by keys may leave its keys there,
 * and then get weight 0, which drains them. {@link #apply} is called one at a time.
 */
final class SessionDrains<A> {
    private final boolean keepsKeys;
    private final long deadlineNanos;
    private final Environment environment;
    private final Runnable update;
    /** Since when each endpoint takes no new sessions, by its id. */
    private Map<String, Long> since = Map.of();

    private volatile @Nullable Timer timer;
    private volatile boolean closed;

    SessionDrains(boolean keepsKeys, @Nullable Duration deadline, Environment environment, Runnable update) {
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
        Timer next = environment.scheduler().schedule(() -> environment.handOver(update), wait);
        timer = next;
        if (closed) {
            next.cancel();
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
