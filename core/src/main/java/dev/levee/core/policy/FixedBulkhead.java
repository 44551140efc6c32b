package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Permits in one word: calls in flight in the low half, calls in the queue in the high half.
 *
 * <p>Invariant: while anybody is in the queue, every permit is taken. A permit is therefore never given back while somebody waits, it
 * is handed over; and whoever arrives while somebody waits goes behind him. A waiter is a future: being granted a permit and giving
 * up race for its one completion. The count of the queue is lowered by whoever takes the waiter out of it, so that each waiter is
 * counted until it is gone.
 */
final class FixedBulkhead implements Bulkhead {
    private static final long STAMP = 1L;
    private static final long QUEUED = -1L;
    private static final long ONE_WAITING = 1L << 32;

    private final String name;
    private final int limit;
    private final int maxWaiting;
    private final long maxWaitNanos;
    private final Environment environment;
    private final BulkheadFullException refusal;
    private final PaddedLong word = new PaddedLong(0);
    private final ConcurrentLinkedQueue<Waiter> queue = new ConcurrentLinkedQueue<>();

    FixedBulkhead(String name, BulkheadConfig config, Environment environment) {
        this.name = Require.name(name);
        this.limit = Require.nonNull("config", config).maxConcurrent();
        this.maxWaiting = config.maxWaiting();
        this.maxWaitNanos = config.maxWaitNanos();
        this.environment = Require.nonNull("environment", environment);
        this.refusal = new BulkheadFullException(
                name,
                "bulkhead \"" + name + "\" is full: " + limit + " calls in flight"
                        + (maxWaiting > 0 ? ", " + maxWaiting + " may wait up to " + config.maxWait() : ""),
                true);
    }

    @Override
    public int timing() {
        return 0;
    }

    @Override
    public long tryEnter(long nowNanos) {
        while (true) {
            long seen = word.get();
            // The high half is part of the comparison: with anybody waiting the word is larger than any limit.
            if (seen >= limit) {
                return REFUSED;
            }
            if (word.compareAndSet(seen, seen + 1)) {
                return STAMP;
            }
        }
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        if (maxWaiting == 0) {
            word.getAndAdd(-1);
        } else {
            release();
        }
    }

    private void release() {
        while (true) {
            long seen = word.get();
            if (seen < ONE_WAITING) {
                if (word.compareAndSet(seen, seen - 1)) {
                    return;
                }
                continue;
            }
            Waiter next = queue.poll();
            if (next == null) {
                // Counted but not yet in the queue, or out of it but still counted: a moment of another thread.
                Thread.onSpinWait();
                continue;
            }
            // Before the grant: what runs in it may come back here, and must not find itself counted.
            word.getAndAdd(-ONE_WAITING);
            if (next.grant()) {
                return;
            }
        }
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (maxWaiting == 0) {
            return tryEnter(0); // before the flag: nobody is interrupted in a wait that there is not
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(Thread.currentThread());
        long nanos = waitNanos(deadline);
        long start = environment.clock().nanoTime();
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
        Waiter waiter = new Waiter(null);
        long stamp = enterOrQueue(waiter, nanos);
        if (stamp != QUEUED) {
            return CompletableFuture.completedFuture(stamp);
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
        if (!waiter.giveUp() && waiter.join() == STAMP) {
            release();
        }
    }

    private long waitNanos(Deadline deadline) {
        return maxWaiting == 0 ? 0 : Math.min(maxWaitNanos, deadline.remainingNanos());
    }

    private long enterOrQueue(Waiter waiter, long nanos) {
        while (true) {
            long seen = word.get();
            if (seen < limit) {
                if (word.compareAndSet(seen, seen + 1)) {
                    return STAMP;
                }
            } else if (nanos <= 0 || seen >>> 32 >= maxWaiting) {
                return REFUSED;
            } else if (word.compareAndSet(seen, seen + ONE_WAITING)) {
                queue.add(waiter);
                return QUEUED;
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
        return (int) word.get();
    }

    @Override
    public int waiting() {
        return (int) (word.get() >>> 32);
    }

    @Override
    public void measure(Sink sink) {
        long seen = word.get();
        sink.value(name, "bulkhead.inflight", (int) seen);
        sink.value(name, "bulkhead.waiting", (int) (seen >>> 32));
        sink.value(name, "bulkhead.limit", limit);
    }

    @Override
    public String toString() {
        return "bulkhead " + name + " " + inFlight() + "/" + limit
                + (waiting() > 0 ? " +" + waiting() + " waiting" : "");
    }

    /** One call in the queue; completed with a stamp, with REFUSED, or cancelled. */
    private final class Waiter extends CompletableFuture<Long> {
        private final @Nullable Thread thread;

        Waiter(@Nullable Thread thread) {
            this.thread = thread;
        }

        /** The permit of the one who leaves becomes this waiter's, unless it has given up. */
        boolean grant() {
            boolean granted = complete(STAMP);
            if (granted && thread != null) {
                LockSupport.unpark(thread);
            }
            return granted;
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

        private void leaveQueue() {
            if (queue.remove(this)) {
                word.getAndAdd(-ONE_WAITING);
            }
        }
    }
}
