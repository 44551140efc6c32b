package dev.levee.core.policy;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Scheduler;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Trampoline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * The implementation of {@link Bulkhead}: free permits in cells ({@link StripedPermits}), a queue beside them, and a
 * debt after the limit was lowered.
 *
 * <p>The limit and the debt share one word, {@code size}. Both halves are counts of zero or more, never negative:
 *
 * <pre>{@code
 * bit   63                     32 31                      0
 *      +-------------------------+-------------------------+
 *      |  limit (1 to 2^31 - 1)  |  debt (0 to 2^31 - 1)   |
 *      +-------------------------+-------------------------+
 *
 * limit          how many calls may be in flight
 * debt           how many permits exist beyond the limit: those to be withdrawn after it was lowered
 * limit + debt = permits that exist, each of which is free in a cell, with a call, or with a thread that assigns it
 *
 * setMaxConcurrent(n):   limit = n, debt = max(0, existing - n); n - existing new permits if that is more than zero
 * payDebt:               takes free permits out of the cells, and lowers the debt by as many
 * }</pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ul>
 *   <li>A permit is in one place: in a cell, with a call, or with one thread that assigns it. So no more calls are in
 *       flight than permits exist.
 *   <li>While a call waits or a debt is left, the cells are closed: calls that arrive take nothing, and a thread that
 *       gives a permit back then runs {@link #assignFreePermits}, which uses free permits up, first for the debt and
 *       then for the queue.
 *   <li>Each thread that queues, makes a debt or gives a permit back checks <em>afterwards</em> whether there is
 *       something to assign. So the last of them does it, and no free permit is left beside a waiter.
 *   <li>Cells that are closed without need are opened by the next call that finds them so.
 *   <li>A waiter is a future: being granted a permit and giving up race for its one completion, and it is counted out
 *       of the queue once.
 * </ul>
 *
 * <p>Each call that has waited tells how long it took ({@link CallTime}); when it was begun is in its stamp. A call
 * that need not wait reads no clock for that:
 *
 * <pre>{@code
 * bit   63   62                                8 7          0
 *      +----+----+--------------------------------+------------+
 *      |  0 |  0 |               0                |  cell + 1  |   has not waited
 *      |  0 |  1 | when it was begun, lowest bits |  cell + 1  |   has waited
 *      +----+----+--------------------------------+------------+
 * }</pre>
 *
 * <p>See ADR 31; for the queue also ADR 14, ADR 73 and ADR 74.
 */
final class StripedBulkhead implements Bulkhead {
    /** The answer that a call is in the queue. */
    private static final long QUEUED = -1L;

    /** The bits of a stamp that name the cell: see the second drawing above. */
    private static final int CELL_BITS = 8;

    /** What the stamp of a call that has waited has above the bits of the cell. */
    private static final long WAITED = 1L << 54;

    /** The bits of {@link #size} that are the debt. */
    private static final long DEBT = (1L << 32) - 1;

    private static final String WITHOUT_TIME =
            "; this call was not begun, because calls take longer at present than it has time left";

    private final String name;
    private final int maxWaiting;
    private final long maxWaitNanos;
    private final String queueing;
    private final Environment environment;
    private final StripedPermits permits;

    /** The limit and the debt: see the drawing above. */
    private final AtomicLong size;

    private final BulkheadQueue queue;
    private final BooleanSupplier busy = this::isBusy;
    private final Runnable assigning = this::assignAll;
    private volatile BulkheadFullException refusal;
    private volatile BulkheadFullException refusalWithoutTime;

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
        this.queue = new BulkheadQueue(config);
        this.size = new AtomicLong((long) config.maxConcurrent() << 32);
        this.refusal = full(config.maxConcurrent(), "");
        this.refusalWithoutTime = full(config.maxConcurrent(), WITHOUT_TIME);
    }

    private BulkheadFullException full(int limit, String more) {
        return new BulkheadFullException(
                name, "bulkhead \"" + name + "\" is full: " + limit + " calls in flight" + queueing + more, true);
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

    /** Tries all cells: the one of this thread is empty or closed, or another thread was faster there. */
    private long search(int home) {
        while (true) {
            int found = permits.tryTake(home);
            if (found >= 0) {
                return home + 1L; // the permit returns to where this thread looks first
            }
            if (found == StripedPermits.NONE || queue.oldest() != null) {
                return REFUSED;
            }
            if (debt() > 0) {
                assignFreePermits();
                if (debt() > 0) {
                    return REFUSED;
                }
            }
            permits.openUnless(busy);
        }
    }

    /** Whether free permits are to be assigned, and calls that arrive must not take them. */
    private boolean isBusy() {
        return debt() > 0 || queue.oldest() != null;
    }

    /** How many permits exist beyond the limit. */
    private long debt() {
        return size.get() & DEBT;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        if (stamp >>> CELL_BITS != 0) {
            learn(stamp, verdict);
        }
        if (permits.giveBack((int) stamp - 1)) {
            assignFreePermits();
        }
    }

    private static long stampOf(int cell, long nowNanos) {
        return (WAITED | (nowNanos & (WAITED - 1))) << CELL_BITS | (cell + 1L);
    }

    /** How long a call took that has waited: its stamp says when it was begun. A failure may have been cut off. */
    private void learn(long stamp, Verdict verdict) {
        if (verdict == Verdict.IGNORED || verdict == Verdict.NOT_SENT) {
            return;
        }
        long now = environment.clock().nanoTime();
        long took = (now - (stamp >>> CELL_BITS)) & (WAITED - 1); // right for up to 208 days
        if (verdict.isFailure()) {
            queue.callTime().tookAtLeast(took, now);
        } else {
            queue.callTime().took(took, now);
        }
    }

    /** Uses free permits up for the debt and the queue, without a deep stack. */
    private void assignFreePermits() {
        if (isBusy()) {
            Trampoline.run(assigning);
        }
    }

    /**
     * Assigns free permits as long as there are any, and a debt or a waiter. Any number of threads may do so at once.
     */
    private void assignAll() {
        while (isBusy()) {
            if (!(debt() > 0 ? payDebt() : grantNext())) {
                return; // nothing is free
            }
        }
    }

    /** Withdraws free permits for the debt. Returns false if none was free. */
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
                    permits.add((int) (taken - paid)); // another thread has paid a part meanwhile
                }
                return taken > 0;
            }
        }
    }

    /** Hands a free permit to the queue. Returns false if none was free. */
    private boolean grantNext() {
        long now = environment.clock().nanoTime();
        int cell = permits.takeAnywhere();
        if (cell == StripedPermits.NONE) {
            return false;
        }
        long stamp = stampOf(cell, now);
        BulkheadWaiter next = null;
        boolean granted = false;
        try {
            next = queue.next(now);
            granted = next != null && next.grant(stamp, now);
        } finally {
            // Without memory or stack it may have thrown, before the waiter had the permit or after.
            if (!granted && (next == null || !next.has(stamp))) {
                permits.giveBack(cell);
            }
        }
        return true;
    }

    @Override
    public void setMaxConcurrent(int limit) {
        Require.range("maxConcurrent", limit, 1, Integer.MAX_VALUE);
        while (true) {
            long seen = size.get();
            long existing = (seen >> 32) + (seen & DEBT);
            long debt = Math.max(0, existing - limit);
            if (size.compareAndSet(seen, (long) limit << 32 | debt)) {
                updateRefusal();
                if (debt > 0) {
                    permits.close();
                } else {
                    permits.add((int) (limit - existing));
                }
                assignFreePermits();
                return;
            }
        }
    }

    /** Makes the refusals name the limit; of two changes at once the later limit stays. */
    private void updateRefusal() {
        int limit;
        do {
            limit = maxConcurrent();
            refusal = full(limit, "");
            refusalWithoutTime = full(limit, WITHOUT_TIME);
        } while (limit != maxConcurrent());
    }

    @Override
    public int maxConcurrent() {
        return (int) (size.get() >> 32);
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (maxWaiting == 0) {
            return tryEnter(0); // before the interrupt flag is read: without a queue there is no wait to interrupt
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        long left = deadline.remainingNanos();
        long nanos = Math.min(maxWaitNanos, left);
        long start = environment.clock().nanoTime();
        BulkheadWaiter waiter = new BulkheadWaiter(queue, Thread.currentThread(), start, nanos, left);
        long stamp = enterOrQueue(waiter, start);
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

    private long await(BulkheadWaiter waiter, long nanos, long start) throws InterruptedException {
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
        if (maxWaiting == 0) {
            return CompletableFuture.completedFuture(tryEnter(0));
        }
        long left = deadline.remainingNanos();
        long nanos = Math.min(maxWaitNanos, left);
        long now = environment.clock().nanoTime();
        BulkheadWaiter waiter = new BulkheadWaiter(queue, null, now, nanos, left);
        long stamp = enterOrQueue(waiter, now);
        if (stamp != QUEUED) {
            return CompletableFuture.completedFuture(stamp);
        }
        if (waiter.isDone()) {
            return waiter;
        }
        try {
            Scheduler.Timer timer = environment.scheduler().schedule(() -> timeIsUp(waiter), nanos);
            waiter.whenComplete((ignored, error) -> timer.cancel());
        } catch (RuntimeException | Error thrown) {
            abandon(waiter);
            throw thrown;
        }
        return waiter;
    }

    /** Refuses a waiter whose time is up, off the thread of all timers. */
    private void timeIsUp(BulkheadWaiter waiter) {
        if (!waiter.isDone()) {
            environment.handOver(waiter::refuse);
        }
    }

    /** Gives back the permit of a waiter whose call ends, because the scheduler threw. */
    private void abandon(BulkheadWaiter waiter) {
        if (!waiter.giveUp() && waiter.join() != REFUSED) {
            exit(waiter.join(), 0, 0, Verdict.IGNORED, RefusedException.UNKNOWN);
        }
    }

    private long enterOrQueue(BulkheadWaiter waiter, long nowNanos) {
        long stamp = tryEnter(0);
        long left = waiter.leftNanos(nowNanos);
        if (stamp != REFUSED || left <= 0 || queue.isWithoutTime(left, nowNanos) || !queue.add(waiter)) {
            return stamp;
        }
        permits.close();
        assignFreePermits();
        return QUEUED;
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
    public RefusedException refusal(Deadline deadline) {
        return maxWaiting > 0
                        && queue.isWithoutTime(
                                deadline.remainingNanos(), environment.clock().nanoTime())
                ? refusalWithoutTime
                : refusal;
    }

    @Override
    public boolean mayWait() {
        return maxWaiting > 0;
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
        return queue.waiting();
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        sink.value(name, PolicyMetrics.BULKHEAD_IN_FLIGHT, inFlight());
        sink.value(name, PolicyMetrics.BULKHEAD_WAITING, waiting());
        sink.value(name, PolicyMetrics.BULKHEAD_LIMIT, maxConcurrent());
    }

    @Override
    public String toString() {
        return "bulkhead \"" + name + "\" " + inFlight() + "/" + maxConcurrent()
                + (waiting() > 0 ? " +" + waiting() + " waiting" : "");
    }
}
