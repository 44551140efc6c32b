package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one implementation of {@link Bulkhead}: free permits in cells, a queue beside them, and a debt after the limit was lowered.
 *
 * <p>While anybody waits or permits are owed, the cells are closed: newcomers take nothing, and whoever brings a permit goes on to
 * {@link #serve}, which takes it out again and uses it up, first for the debt and then for the queue. A permit is thus always in a
 * cell, with a call, or in the hands of one thread that serves. Whoever queues, owes or brings looks whether there is something to
 * serve <em>after</em> having done so; hence the last of them serves, and nothing is left lying. Cells are opened again by the next
 * who finds them closed for no reason.
 *
 * <p>A waiter is a future: being granted a permit and giving up race for its one completion. The count of the queue is lowered by
 * whoever takes the waiter out of it, so that each waiter is counted until it is gone.
 */
final class StripedBulkhead implements Bulkhead {
    /** No stamp: those are 1 and up, the cell that the permit goes to and 1. */
    private static final long QUEUED = -1L;

    private static final long DEBT = (1L << 32) - 1;

    private final String name;
    private final int maxWaiting;
    private final long maxWaitNanos;
    private final String queueing;
    private final Environment environment;
    private final StripedPermits permits;

    /** The limit in the upper half, in the lower half how many permits more than that there still are. */
    private final AtomicLong size;

    private final AtomicInteger waiting = new AtomicInteger();
    private final ConcurrentLinkedQueue<Waiter> queue = new ConcurrentLinkedQueue<>();
    private final StripedPermits.Reason busy = this::isBusy;
    private final Runnable serving = this::serveAll;
    private volatile BulkheadFullException refusal;

    StripedBulkhead(String name, BulkheadConfig config, Environment environment) {
        this(
                name,
                config,
                environment,
                new StripedPermits(Require.nonNull("config", config).maxConcurrent()));
    }

    StripedBulkhead(String name, BulkheadConfig config, Environment environment, StripedPermits permits) {
        this.name = Require.name(name);
        this.maxWaiting = config.maxWaiting();
        this.maxWaitNanos = config.maxWaitNanos();
        this.queueing = maxWaiting > 0 ? ", " + maxWaiting + " may wait up to " + config.maxWait() : "";
        this.environment = Require.nonNull("environment", environment);
        this.permits = permits;
        this.size = new AtomicLong((long) config.maxConcurrent() << 32);
        this.refusal = full(config.maxConcurrent());
    }

    private BulkheadFullException full(int limit) {
        return new BulkheadFullException(
                name, "bulkhead \"" + name + "\" is full: " + limit + " calls in flight" + queueing, true);
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        int home = permits.home();
        return permits.tryTakeAt(home) ? home + 1L : search(home);
    }

    /** Home is empty or closed, or another thread was faster there. */
    private long search(int home) {
        while (true) {
            int found = permits.tryTake(home);
            if (found >= 0) {
                return home + 1L; // to come back to where it is wanted
            }
            if (found == StripedPermits.NONE || somebodyWaits()) {
                return REFUSED;
            }
            if (debt() > 0) {
                serve();
                if (debt() > 0) {
                    return REFUSED;
                }
            }
            permits.openUnless(busy);
        }
    }

    private boolean isBusy() {
        return debt() > 0 || somebodyWaits();
    }

    /** Who has given up waits no more, even if he has not found out of the queue yet; nor who is on his way into it. */
    private boolean somebodyWaits() {
        Waiter first;
        while ((first = queue.peek()) != null && first.isDone()) {
            first.leaveQueue();
        }
        return first != null;
    }

    private long debt() {
        return size.get() & DEBT;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        giveBack((int) stamp - 1);
    }

    private void giveBack(int cell) {
        if (permits.giveBack(cell)) {
            serve();
        }
    }

    private void serve() {
        if (isBusy()) {
            Trampoline.run(serving);
        }
    }

    /** Uses free permits up as long as there are any, and somebody to have them. Any number of threads may be at it. */
    private void serveAll() {
        while (isBusy()) {
            if (!(debt() > 0 ? payDebt() : grantNext())) {
                return; // nothing is free
            }
        }
    }

    private boolean payDebt() {
        long owed = debt();
        if (owed == 0) {
            return true; // another thread was faster
        }
        long taken = permits.takeUpTo(owed);
        while (true) {
            long seen = size.get();
            long paid = Math.min(taken, seen & DEBT);
            if (size.compareAndSet(seen, seen - paid)) {
                if (taken > paid) {
                    permits.add((int) (taken - paid)); // it was paid meanwhile
                }
                return taken > 0;
            }
        }
    }

    private boolean grantNext() {
        int cell = permits.takeAnywhere();
        if (cell == StripedPermits.NONE) {
            return false;
        }
        if (!grant(cell + 1L)) {
            permits.giveBack(cell);
        }
        return true;
    }

    /** Gives a permit to the first in the queue who has not given up. */
    private boolean grant(long stamp) {
        while (true) {
            Waiter next = queue.poll();
            if (next == null) {
                return false;
            }
            waiting.getAndDecrement();
            if (next.grant(stamp)) {
                return true;
            }
        }
    }

    @Override
    public void setMaxConcurrent(int limit) {
        Require.range("maxConcurrent", limit, 1, Integer.MAX_VALUE);
        while (true) {
            long seen = size.get();
            long existing = (seen >> 32) + (seen & DEBT);
            long debt = Math.max(0, existing - limit);
            if (size.compareAndSet(seen, (long) limit << 32 | debt)) {
                renewRefusal();
                if (debt > 0) {
                    permits.close();
                } else {
                    permits.add((int) (limit - existing));
                }
                serve();
                return;
            }
        }
    }

    private void renewRefusal() {
        int limit;
        do {
            limit = maxConcurrent();
            refusal = full(limit);
        } while (limit != maxConcurrent());
    }

    @Override
    public int maxConcurrent() {
        return (int) (size.get() >> 32);
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (maxWaiting == 0) {
            return tryEnter(0); // before the flag: nobody is interrupted in a wait that there is not
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long nanos = waitNanos(deadline);
        long start = environment.clock().nanoTime();
        Waiter waiter = new Waiter(Thread.currentThread(), start + nanos);
        long stamp = enterOrQueue(waiter, nanos);
        if (stamp != QUEUED) {
            return stamp;
        }
        try {
            return await(waiter, nanos, start);
        } catch (RuntimeException | Error thrown) {
            abandon(waiter);
            throw thrown;
        }
    }

    private long await(Waiter waiter, long nanos, long start) throws InterruptedException {
        long left = nanos;
        while (!waiter.isDone() && left > 0) {
            environment.scheduler().park(this, left);
            if (Thread.interrupted()) {
                if (waiter.giveUp()) {
                    throw new InterruptedException();
                }
                // The permit came first: use it, and leave the interrupt to the operation.
                Thread.currentThread().interrupt();
                return waiter.join();
            }
            left = nanos - (environment.clock().nanoTime() - start);
        }
        return waiter.giveUp() ? REFUSED : waiter.join();
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        long nanos = waitNanos(deadline);
        Waiter waiter = new Waiter(null, environment.clock().nanoTime() + nanos);
        long stamp = enterOrQueue(waiter, nanos);
        if (stamp != QUEUED) {
            return CompletableFuture.completedFuture(stamp);
        }
        if (waiter.isDone()) {
            return waiter;
        }
        try {
            Scheduler.Timer timer = environment.scheduler().schedule(waiter::giveUp, nanos);
            waiter.whenComplete((ignored, error) -> timer.cancel());
        } catch (RuntimeException | Error thrown) {
            abandon(waiter);
            throw thrown;
        }
        return waiter;
    }

    /** The scheduler threw: nobody will come for this waiter's permit. */
    private void abandon(Waiter waiter) {
        if (!waiter.giveUp() && waiter.join() != REFUSED) {
            exit(waiter.join(), 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        }
    }

    private long waitNanos(Deadline deadline) {
        return maxWaiting == 0 ? 0 : Math.min(maxWaitNanos, deadline.remainingNanos());
    }

    private long enterOrQueue(Waiter waiter, long nanos) {
        long stamp = tryEnter(0);
        if (stamp != REFUSED || nanos <= 0 || !reservePlace()) {
            return stamp;
        }
        try {
            queue.add(waiter);
        } catch (Throwable noMemory) {
            waiting.getAndDecrement();
            throw noMemory;
        }
        permits.close();
        serve();
        return QUEUED;
    }

    private boolean reservePlace() {
        while (true) {
            int seen = waiting.get();
            if (seen >= maxWaiting) {
                return false;
            }
            if (waiting.compareAndSet(seen, seen + 1)) {
                return true;
            }
        }
    }

    @Override
    public OutcomeRule outcomes() {
        return OutcomeRule.standard();
    }

    @Override
    public RefusedException refusal() {
        return refusal;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public int inFlight() {
        long seen = size.get();
        return (int) Math.max(0, (seen >> 32) + (seen & DEBT) - permits.free());
    }

    @Override
    public int waiting() {
        return waiting.get();
    }

    @Override
    public void measure(Sink sink) {
        sink.value(name, "bulkhead.in.flight", inFlight());
        sink.value(name, "bulkhead.waiting", waiting());
        sink.value(name, "bulkhead.limit", maxConcurrent());
    }

    @Override
    public String toString() {
        return "bulkhead " + name + " " + inFlight() + "/" + maxConcurrent()
                + (waiting() > 0 ? " +" + waiting() + " waiting" : "");
    }

    /** One call in the queue; completed with a stamp, with REFUSED, or cancelled. */
    private final class Waiter extends CompletableFuture<Long> {
        private final @Nullable Thread thread;
        private final long untilNanos;

        Waiter(@Nullable Thread thread, long untilNanos) {
            this.thread = thread;
            this.untilNanos = untilNanos;
        }

        /**
         * A permit becomes this waiter's, unless it has given up, or would have if its timer were not late: its call must not begin
         * after the time that it had.
         */
        boolean grant(long stamp) {
            boolean inTime = untilNanos - environment.clock().nanoTime() > 0;
            boolean first = complete(inTime ? stamp : REFUSED);
            if (first && thread != null) {
                LockSupport.unpark(thread);
            }
            return first && inTime;
        }

        boolean giveUp() {
            boolean first = complete(REFUSED);
            if (first) {
                leaveQueue();
            }
            return first;
        }

        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            boolean cancelled = super.cancel(mayInterruptIfRunning);
            if (cancelled) {
                leaveQueue();
            }
            return cancelled;
        }

        void leaveQueue() {
            if (queue.remove(this)) {
                waiting.getAndDecrement();
            }
        }
    }
}
