package dev.levee.ratelimit;

import dev.levee.core.internal.Require;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The implementation of {@link Reservation}: a {@link Waiter}, and what waits for it. */
abstract class ReservationTicket implements Reservation {
    final WaitingCalls calls;
    private final String name;
    private final AtomicBoolean cancelled = new AtomicBoolean();

    /** Futures that were given out before the wait ended. */
    private final ConcurrentLinkedQueue<CompletableFuture<@Nullable Void>> futures = new ConcurrentLinkedQueue<>();

    /** Threads that wait for it. */
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    final Waiter waiter;

    /**
     * Makes a ticket.
     *
     * @param name what is reserved, in words
     */
    private ReservationTicket(WaitingCalls calls, Need need, String name) {
        this.calls = calls;
        this.name = name;
        this.waiter = new Waiter(need, null) {
            @Override
            void wake() {
                threads.forEach(LockSupport::unpark);
            }

            @Override
            void tell() {
                super.tell();
                calls.environment.handOver(ReservationTicket.this::ended);
            }
        };
    }

    private void ended() {
        waiter.need.counted(waiter.state == Waiter.ADMITTED);
        completeAll();
    }

    /** Gives back what was not used of what was taken. */
    abstract void giveBackRest();

    @Override
    public long waitNanos() {
        return calls.queue.nanosUntilTurn(waiter);
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
            threads.add(current);
            if (!waiter.hasThread()) {
                waiter.thread(current);
            }
            try {
                calls.queue.await(waiter);
            } catch (InterruptedException interrupt) {
                cancelled.set(true);
                waiter.wake(); // others may wait for it
                calls.environment.handOver(this::completeAll);
                throw interrupt;
            } catch (RuntimeException | Error thrown) { // or nothing would run when its turn comes
                cancel();
                throw thrown;
            } finally {
                threads.remove(current);
            }
        }
        RuntimeException failure = failure();
        if (failure != null) {
            throw failure;
        }
    }

    private @Nullable RuntimeException failure() {
        if (waiter.state == Waiter.REFUSED) {
            return waiter.need.refusal(waiter.retryAfterNanos);
        }
        return isReady() ? null : new CancellationException(toString());
    }

    @Override
    public CompletableFuture<@Nullable Void> whenReady() {
        CompletableFuture<@Nullable Void> future = new CompletableFuture<>();
        futures.add(future);
        if (!waiter.isWaiting()) {
            calls.environment.handOver(this::completeAll);
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
        if (calls.queue.leave(waiter)) {
            waiter.wake();
            calls.environment.handOver(this::completeAll);
            return true;
        }
        if (waiter.state == Waiter.ADMITTED) {
            giveBackRest();
            return true;
        }
        return false;
    }

    @Override
    public String toString() {
        return "reservation of " + name;
    }

    /** Of permits of one limiter. */
    static final class OneTicket extends ReservationTicket {
        private final AbstractLimiter limiter;
        private final long permits;

        /** What was taken and not given back. */
        private final AtomicLong held;

        OneTicket(AbstractLimiter limiter, WaitingCalls calls, Need need, long permits) {
            super(calls, need, permits + " of limiter \"" + limiter.name() + "\"");
            this.limiter = limiter;
            this.permits = permits;
            this.held = new AtomicLong(permits);
        }

        @Override
        public long permits() {
            return permits;
        }

        @Override
        public void settle(long difference) {
            Require.range("difference", difference, -permits, Long.MAX_VALUE);
            if (!isReady()) {
                throw new IllegalStateException(this + " has no permits, so none were used");
            }
            if (difference >= 0) {
                limiter.settle(difference);
                return;
            }
            long unused = -difference;
            if (held.getAndUpdate(now -> now < unused ? now : now - unused) < unused) {
                throw new IllegalStateException(this + " has less than " + unused + " permits left to give back");
            }
            giveBack(unused);
        }

        @Override
        void giveBackRest() {
            long rest = held.getAndSet(0);
            if (rest > 0) {
                giveBack(rest);
            }
        }

        private void giveBack(long unused) {
            limiter.giveBackAndServe(limiter.environment().clock().nanoTime(), waiter.takenNanos, unused);
        }
    }

    /** Of permits of several limiters. */
    static final class OfSeveral extends ReservationTicket {
        OfSeveral(WaitingCalls calls, Need need, String permits) {
            super(calls, need, permits);
        }

        @Override
        public long permits() {
            return 1;
        }

        @Override
        public void settle(long difference) {
            throw new UnsupportedOperationException(this + " is of several limiters, each of which has its own settle");
        }

        @Override
        void giveBackRest() {
            calls.giveBack(waiter);
        }
    }
}
