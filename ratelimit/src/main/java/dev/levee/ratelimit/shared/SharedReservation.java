package dev.levee.ratelimit.shared;

import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.StackRoom;
import dev.levee.ratelimit.Reservation;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A {@link Reservation} of a {@link SharedQuota}. */
final class SharedReservation implements Reservation {
    private static final int TIMEOUTS = 4;

    private final SharedQuota quota;
    private final QuotaAsk ask;

    /** What was taken and not given back. */
    private final AtomicLong held;

    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final Queue<Thread> threads = new ConcurrentLinkedQueue<>();
    private final Queue<CompletableFuture<@Nullable Void>> futures = new ConcurrentLinkedQueue<>();
    private volatile Scheduler.@Nullable Timer timer;

    SharedReservation(SharedQuota quota, long permits, long maxNanos) {
        this.quota = quota;
        this.held = new AtomicLong(permits);
        long longest = maxNanos > 0 ? maxNanos : quota.scope.link.timeoutNanos * TIMEOUTS;
        long until = quota.scope.clock.nanoTime() + Math.min(longest, Nanos.NEVER / 2);
        ask = new QuotaAsk(permits, maxNanos > 0, until, null) {
            @Override
            void tell() {
                ended();
            }
        };
    }

    /** Takes its place, or throws its refusal. */
    void begin() {
        StackRoom.require();
        if (quota.ask(ask)) {
            try {
                timer = quota.scope.environment.schedule(this::giveUp, waitUntil());
            } catch (Throwable thrown) { // nothing waits without an end
                SharedCalls.abandon(quota, ask);
                throw thrown;
            }
            if (!ask.isWaiting()) {
                cancelTimer();
            }
        } else if (ask.state == QuotaAsk.ADMITTED) {
            quota.scope.count(true);
        } else {
            quota.scope.refused();
            throw quota.scope.refusal(ask.permits, ask.waitNanos, quota.failure());
        }
    }

    private long waitUntil() {
        return ask.untilNanos - quota.scope.clock.nanoTime();
    }

    private void giveUp() {
        if (quota.leave(ask)) {
            ended();
        }
    }

    private void cancelTimer() {
        Scheduler.Timer set = timer;
        if (set != null) {
            set.cancel();
        }
    }

    private void wakeAll() {
        for (Thread thread = threads.poll(); thread != null; thread = threads.poll()) {
            LockSupport.unpark(thread);
        }
    }

    /** Tells all that wait for it that it has left the queue. */
    private void left() {
        cancelTimer();
        wakeAll();
        quota.scope.environment.handOver(this::completeAll);
    }

    private void ended() {
        cancelTimer();
        wakeAll();
        quota.scope.environment.handOver(() -> {
            if (ask.state == QuotaAsk.ADMITTED) {
                quota.scope.count(true);
            } else {
                quota.scope.refused();
            }
            completeAll();
        });
    }

    private void completeAll() {
        RuntimeException failure = failure();
        CompletableFuture<@Nullable Void> next;
        while ((next = futures.poll()) != null) {
            if (failure == null) {
                next.complete(null);
            } else {
                next.completeExceptionally(failure);
            }
        }
    }

    private @Nullable RuntimeException failure() {
        if (cancelled.get()) {
            return new CancellationException(toString());
        }
        return ask.state == QuotaAsk.ADMITTED ? null : quota.scope.refusal(ask.permits, ask.waitNanos, quota.failure());
    }

    @Override
    public long permits() {
        return ask.permits;
    }

    @Override
    public long waitNanos() {
        return ask.isWaiting() ? Math.max(0, ask.turnNanos - quota.scope.clock.nanoTime()) : 0;
    }

    @Override
    public boolean isReady() {
        return ask.state == QuotaAsk.ADMITTED && !cancelled.get();
    }

    @Override
    public void await() throws InterruptedException {
        StackRoom.require();
        if (Thread.interrupted()) {
            cancel();
            throw new InterruptedException();
        }
        threads.add(Thread.currentThread());
        if (!SharedCalls.park(quota, ask) && quota.leave(ask)) {
            Thread.interrupted();
            cancelled.set(true);
            left();
            throw new InterruptedException();
        }
        RuntimeException failure = failure();
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public CompletableFuture<@Nullable Void> whenReady() {
        CompletableFuture<@Nullable Void> future = new CompletableFuture<>();
        futures.add(future);
        if (!ask.isWaiting()) {
            quota.scope.environment.handOver(this::completeAll);
        }
        return future;
    }

    @Override
    public boolean cancel() {
        StackRoom.require();
        if (ask.state == QuotaAsk.REFUSED || !cancelled.compareAndSet(false, true)) {
            return false;
        }
        if (quota.leave(ask)) {
            left();
            return true;
        }
        if (ask.state != QuotaAsk.ADMITTED) {
            return false;
        }
        long rest = held.getAndSet(0);
        if (rest > 0) {
            quota.giveBack(rest, ask.takenNanos);
        }
        return true;
    }

    @Override
    public void settle(long difference) {
        StackRoom.require();
        Require.range("difference", difference, -ask.permits, Long.MAX_VALUE);
        if (!isReady()) {
            throw new IllegalStateException(this + " has no permits, so none were used");
        }
        if (difference >= 0) {
            quota.settle(difference);
            return;
        }
        long unused = -difference;
        if (held.getAndUpdate(now -> now < unused ? now : now - unused) < unused) {
            throw new IllegalStateException(this + " has less than " + unused + " permits left to give back");
        }
        quota.giveBack(unused, ask.takenNanos);
    }

    @Override
    public String toString() {
        return "reservation of " + ask.permits + " of limiter \"" + quota.scope.name + "\"";
    }
}
