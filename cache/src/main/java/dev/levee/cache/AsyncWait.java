package dev.levee.cache;

import dev.levee.cache.PendingLoad.LoadResult;
import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A caller that waits for the value of a key without a thread: a future of its own, behind it a load that others share.
 *
 * <p><b>Invariants.</b> The future completes on a thread of the environment's executor, never on that of another
 * caller, of a timer or of the store's client, since what depends on it runs there. When it has ended in any way, a
 * cancel included, nothing of it is left with the load. See ADR 104.
 */
final class AsyncWait<K, V> implements Runnable {
    final CompletableFuture<@Nullable V> future = new CompletableFuture<>();

    private final String cache;
    private final K key;
    private final Environment environment;
    private final LoadSite<K, V> site;

    /** Takes the key again, when the load that was waited for says nothing about the store. */
    private final Again<K, V> again;

    /** The load within which the caller has asked; what depends on the future is part of it. */
    private final @Nullable Loading asks = Loading.current();

    private final @Nullable Deadline deadline = CallContext.current().deadline();
    /** What the caller's thread had; the load may have to be made once more. */
    private final CallContext carrying;

    private volatile @Nullable PendingLoad<V> load;
    private volatile long joinedAt;
    private volatile Scheduler.@Nullable Timer timer;
    private volatile Scheduler.@Nullable Timer softTimer;

    /** How to begin once more. */
    @FunctionalInterface
    interface Again<K, V> {
        void join(AsyncWait<K, V> wait);
    }

    AsyncWait(String cache, K key, Environment environment, LoadSite<K, V> site, Again<K, V> again) {
        this.cache = cache;
        this.key = key;
        this.environment = environment;
        this.site = site;
        this.again = again;
        this.carrying = environment.capture();
    }

    K key() {
        return key;
    }

    boolean isWithinALoad() {
        return asks != null;
    }

    /** Limits the wait, and takes it off the load when it ends. Called once, before the first load is waited for. */
    void begin() {
        if (deadline != null) {
            long left = deadline.remainingNanos();
            if (left <= 0) {
                future.completeExceptionally(PendingLoad.late(cache));
                return;
            }
            timer = environment.schedule(() -> environment.handOver(this::tooLate), left);
        }
        long soft = site.softNanos();
        if (soft < Nanos.NEVER && site.hasOld(key)) {
            softTimer = environment.schedule(() -> environment.handOver(carrying.carry(this::settleForOld)), soft);
        }
        future.whenComplete((value, failure) -> stop());
    }

    private void settleForOld() {
        LoadResult<V> old = future.isDone() ? null : site.old(key);
        if (old != null) {
            complete(old);
        }
    }

    private void tooLate() {
        end(() -> future.completeExceptionally(PendingLoad.late(cache)));
    }

    /**
     * Waits for a load.
     *
     * @param mine whether the caller has put it in flight itself, so that nothing else can need it yet
     */
    void waitFor(PendingLoad<V> next, boolean mine, long epochBefore) {
        load = next;
        joinedAt = epochBefore;
        if (asks != null) {
            if (mine) {
                asks.needsInside(next.work);
            } else {
                try {
                    asks.needs(next.work, cache, key);
                } catch (IllegalStateException ring) {
                    load = null;
                    environment.handOver(() -> end(() -> future.completeExceptionally(ring)));
                    return;
                }
            }
        }
        next.whenEnded(this);
        if (future.isDone()) {
            stop();
        }
    }

    /** The load has ended: what follows is for a thread of the executor. */
    @Override
    public void run() {
        environment.handOver(carrying.carry(this::ended));
    }

    private void ended() {
        PendingLoad<V> of = load;
        LoadResult<V> result = of == null ? null : of.result();
        if (of == null || result == null || future.isDone()) {
            return;
        }
        load = null;
        release(of);
        if (of.mustReload(result, joinedAt)) {
            try {
                again.join(this);
            } catch (Throwable failure) { // no stage may be left behind
                end(() -> future.completeExceptionally(failure));
            }
            return;
        }
        complete(result);
    }

    /** Completes the future with what the cache answers. */
    void complete(LoadResult<V> result) {
        Throwable failure = result.failure();
        end(() -> {
            if (failure == null) {
                future.complete(result.value());
            } else {
                future.completeExceptionally(site.seenByWaiter(failure));
            }
        });
    }

    /** Ends the future as part of the load within which the caller has asked. */
    private void end(Runnable completion) {
        if (asks == null || asks.hasEnded()) {
            completion.run();
            return;
        }
        Loading before = asks.enter();
        try {
            completion.run();
        } finally {
            Loading.leave(before);
        }
    }

    private void stop() {
        cancel(timer);
        cancel(softTimer);
        PendingLoad<V> of = load;
        if (of != null) {
            of.forget(this);
            release(of);
        }
    }

    private static void cancel(Scheduler.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }

    private void release(PendingLoad<V> of) {
        if (asks != null) {
            asks.needsNoMore(of.work);
        }
    }
}
