package dev.levee.ratelimit.work;

import dev.levee.core.CallContext;
import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/**
 * The items that wait for a place, first come first served. An item that comes while others wait does not overtake
 * them. Thread-safe.
 *
 * <p>A place that comes free is given to the first of them: the thread that has ended an item looks at {@link #count}
 * after it has counted the end, and an item that waits looks for a place after it has been counted.
 */
final class WorkWaiters {
    private final WorkRing ring;
    private final ReentrantLock lock;
    private final Environment environment;
    private final WorkRefusals refusals;
    private final LongSupplier acceptedNanos;
    private final int maxFutures;
    private final WorkList<WorkWaiter> waiters = new WorkList<>();

    /** How many wait; written under the lock, read without it. */
    private volatile int count;

    private int futures;

    WorkWaiters(
            WorkRing ring,
            ReentrantLock lock,
            Environment environment,
            WorkRefusals refusals,
            LongSupplier acceptedNanos,
            int maxFutures) {
        this.ring = ring;
        this.lock = lock;
        this.environment = environment;
        this.refusals = refusals;
        this.acceptedNanos = acceptedNanos;
        this.maxFutures = maxFutures;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Waits until an item has a place, at most for a time, and not past the deadline of the call. */
    void await(Object element, long maxNanos) {
        WorkWaiter waiter = new WorkWaiter(this, element, Thread.currentThread());
        Deadline deadline = CallContext.current().deadline();
        long start = environment.clock().nanoTime();
        add(waiter);
        try {
            while (waiter.state == WorkWaiter.WAITING) {
                long left = maxNanos == Nanos.NEVER
                        ? Nanos.NEVER
                        : maxNanos - (environment.clock().nanoTime() - start);
                left = deadline == null ? left : Math.min(left, deadline.remainingNanos());
                if (left <= 0) {
                    giveUp(waiter);
                } else if (Thread.interrupted()) {
                    boolean inTime = giveUp(waiter);
                    Thread.currentThread().interrupt();
                    if (inTime) {
                        throw refusals.interrupted();
                    }
                } else {
                    environment.scheduler().park(this, left);
                }
            }
        } finally {
            giveUp(waiter); // a clock or a scheduler has thrown
        }
        if (waiter.state == WorkWaiter.CLOSED) {
            throw refusals.closed();
        }
        if (waiter.state == WorkWaiter.GONE) {
            throw refusals.full();
        }
    }

    /** Returns a future of an item that waits for a place, at most for a time. */
    CompletableFuture<Void> awaitAsync(Object element, long maxNanos) {
        WorkWaiter waiter = new WorkWaiter(this, element, null);
        CompletableFuture<Void> future = Objects.requireNonNull(waiter.future());
        if (!add(waiter)) {
            return CompletableFuture.failedFuture(refusals.full().detached());
        }
        if (maxNanos != Nanos.NEVER && waiter.state == WorkWaiter.WAITING) {
            try {
                waiter.timer(environment.schedule(waiter, maxNanos));
            } catch (Throwable noTimer) { // an environment that was closed
                if (giveUp(waiter)) {
                    return CompletableFuture.failedFuture(noTimer);
                }
            }
        }
        return future;
    }

    /** Adds one and looks for a place. Returns false if so many futures wait that this one must not. */
    private boolean add(WorkWaiter waiter) {
        lock.lock();
        try {
            if (waiter.future() != null && ++futures > maxFutures) {
                futures--;
                waiter.state = WorkWaiter.GONE;
                return false;
            }
            waiters.addLast(waiter);
            count = waiters.size();
        } finally {
            lock.unlock();
        }
        admit();
        return true;
    }

    /** Gives places that are free to those that came first; refuses all of them if the queue was closed. */
    boolean admit() {
        if (count == 0) {
            return false;
        }
        long now = acceptedNanos.getAsLong();
        List<WorkWaiter> told = new ArrayList<>();
        lock.lock();
        try {
            WorkWaiter first;
            while ((first = waiters.first()) != null) {
                told.add(first); // before anything has happened, because it may need memory
                int outcome = ring.put(first.element, now);
                if (outcome == WorkRing.FULL) {
                    told.remove(told.size() - 1);
                    break;
                }
                leave(first, outcome == WorkRing.ACCEPTED ? WorkWaiter.ADMITTED : WorkWaiter.CLOSED);
            }
        } finally {
            lock.unlock();
        }
        for (WorkWaiter waiter : told) {
            waiter.tell();
        }
        return !told.isEmpty();
    }

    private void leave(WorkWaiter waiter, int state) {
        waiters.remove(waiter);
        count = waiters.size();
        futures -= waiter.future() == null ? 0 : 1;
        waiter.state = state;
    }

    /** Ends a wait, unless it has ended already. */
    boolean giveUp(WorkWaiter waiter) {
        if (waiter.state != WorkWaiter.WAITING) {
            return false;
        }
        lock.lock();
        try {
            if (waiter.state != WorkWaiter.WAITING) {
                return false;
            }
            leave(waiter, WorkWaiter.GONE);
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Completes a future where its user's code may run. */
    void settle(WorkWaiter.Pending future, int state) {
        environment.handOver(() -> future.settle(
                switch (state) {
                    case WorkWaiter.ADMITTED -> null;
                    case WorkWaiter.CLOSED -> refusals.closed().detached();
                    default -> refusals.full().detached();
                }));
    }
}
