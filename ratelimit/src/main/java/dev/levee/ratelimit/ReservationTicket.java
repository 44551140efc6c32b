package dev.levee.ratelimit;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** The implementation of {@link Reservation}: a {@link Waiter}, and what waits for it. */
final class ReservationTicket implements Reservation {
    private final AbstractLimiter limiter;
    private final WaitQueue queue;
    private final AtomicBoolean cancelled = new AtomicBoolean();

    /** Futures that were given out before the wait ended. */
    private final ConcurrentLinkedQueue<CompletableFuture<@Nullable Void>> futures = new ConcurrentLinkedQueue<>();

    final Waiter waiter;

    ReservationTicket(AbstractLimiter limiter, WaitQueue queue, long permits) {
        this.limiter = limiter;
        this.queue = queue;
        this.waiter = new Waiter(permits, null) {
            @Override
            void tell() {
                super.tell();
                limiter.environment().handOver(ReservationTicket.this::ended);
            }
        };
    }

    private void ended() {
        limiter.countWaited(waiter.state == Waiter.ADMITTED);
        completeAll();
    }

    @Override
    public long permits() {
        return waiter.permits;
    }

    @Override
    public long waitNanos() {
        return queue.nanosUntilTurn(waiter);
    }

    @Override
    public boolean isReady() {
        return waiter.state == Waiter.ADMITTED && !cancelled.get();
    }

    @Override
    public void await() throws InterruptedException {
        if (Thread.interrupted()) {
            cancel();
            throw new InterruptedException();
        }
        if (waiter.isWaiting()) {
            Thread current = Thread.currentThread();
            if (!waiter.hasThread()) {
                waiter.thread(current);
            }
            try {
                queue.await(waiter);
            } catch (InterruptedException interrupt) {
                cancelled.set(true);
                limiter.environment().handOver(this::completeAll);
                throw interrupt;
            }
        }
        RuntimeException failure = failure();
        if (failure != null) {
            throw failure;
        }
    }

    private @Nullable RuntimeException failure() {
        if (waiter.state == Waiter.REFUSED) {
            return limiter.refusal(waiter.permits, waiter.retryAfterNanos);
        }
        return isReady() ? null : new CancellationException("reservation of limiter \"" + limiter.name() + "\"");
    }

    @Override
    public CompletableFuture<@Nullable Void> whenReady() {
        CompletableFuture<@Nullable Void> future = new CompletableFuture<>();
        futures.add(future);
        if (!waiter.isWaiting()) {
            limiter.environment().handOver(this::completeAll);
        }
        return future;
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

    @Override
    public boolean cancel() {
        if (waiter.state == Waiter.REFUSED || !cancelled.compareAndSet(false, true)) {
            return false;
        }
        if (queue.leave(waiter)) {
            waiter.wake();
            limiter.environment().handOver(this::completeAll);
            return true;
        }
        if (waiter.state == Waiter.ADMITTED) {
            limiter.giveBack(waiter);
            return true;
        }
        return false;
    }

    @Override
    public String toString() {
        return "reservation of " + waiter.permits + " of limiter \"" + limiter.name() + "\"";
    }
}
