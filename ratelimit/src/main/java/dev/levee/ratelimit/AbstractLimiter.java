package dev.levee.ratelimit;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.ratelimit.WaitingCalls.Watchers;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What all algorithms of {@link RateLimiter} share: name, listener, totals, refusal, the gate, waiting, reservations
 * and decisions. An algorithm adds the arithmetic, as primitives over readings of the clock:
 *
 * <pre>{@code
 * long take(long nowNanos, long permits)                        // 0: taken; else the wait, or NEVER
 * long peek(long nowNanos, long permits)                        // the answer of take, with nothing taken
 * void giveBack(long nowNanos, long takenNanos, long permits)   // what is surely still owed
 * void refund(long nowNanos, long permits)                      // used less than was counted, whenever that was
 * void charge(long nowNanos, long permits)                      // used in any case, down to maxDebt
 * long available(long nowNanos)
 * long resetNanos(long nowNanos)                                // until nothing is used
 * Forecast forecast(long nowNanos)                              // a private copy, to plan the calls that wait
 * long capacity()
 * Limit limit()
 * void replace(long nowNanos, Limit limit, CarriedFill carried) // one at a time
 * }</pre>
 *
 * <p><b>For authors.</b> The primitives are thread-safe, but for {@code replace}, of which one runs at a time. They are
 * short, run no code of users, and may be called under the lock of the queue. Readings are compared by difference; a
 * reading may be older than the one of a call before, and then admits no more than the newer one would. {@code take}
 * must not allocate, and writes nothing when it refuses.
 */
abstract class AbstractLimiter implements RateLimiter {
    private final String name;
    private final Environment environment;
    private final NanoClock clock;
    private final Listener listener;
    private final @Nullable CallTotals totals;
    final long maxWaitNanos;
    final int maxWaiting;
    private final WaitingCalls waits;
    private final WaitQueue queue;
    private final Watchers watchers = new Watchers();
    private final Need one;
    private final AtomicReference<@Nullable WaitingCalls> line = new AtomicReference<>();
    private volatile RateLimitedException refusal;

    /**
     * Makes what is shared. The clock is not read.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment the source of time
     */
    @SuppressWarnings("this-escape")
    AbstractLimiter(String name, RateLimiterConfig config, Environment environment) {
        this.name = Require.name(name);
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.listener = environment.listener();
        this.totals = Require.nonNull("config", config).totals() ? new CallTotals() : null;
        this.maxWaiting = config.maxWaiting();
        this.maxWaitNanos = maxWaiting == 0 ? 0 : Nanos.of(config.maxWait());
        this.waits = new WaitingCalls(this, this::forecast, environment, maxWaiting);
        this.queue = waits.queue;
        this.one = new Need.OfOne(this, 1);
        this.refusal = newRefusal(config.limit());
    }

    /** Makes the limiter of a configuration. */
    static RateLimiter of(String name, RateLimiterConfig config, Environment environment) {
        Require.name(name);
        Require.nonNull("environment", environment);
        return new SingleLimiter(name, Require.nonNull("config", config), environment);
    }

    /**
     * Takes permits, or returns when they will be there. Does not allocate; a refusal is a pure read.
     *
     * @param nowNanos a reading of the clock, which may be somewhat old
     * @param permits from 1
     * @return 0 if they were taken; else the smallest wait after which they can be, if no other call takes them;
     *     {@link RateLimiter#NEVER} if they are more than the capacity
     */
    abstract long take(long nowNanos, long permits);

    /** The same when no lock is held: those that were refused for what was held for a moment are told. */
    long takeUnlocked(long nowNanos, long permits) {
        return take(nowNanos, permits);
    }

    /** As {@link Need#hasTakenInPart}. */
    boolean hasTakenInPart() {
        return false;
    }

    /** As {@link Need#isSameSpan}. */
    boolean isSameSpan(long plannedNanos, long nowNanos) {
        return true;
    }

    /** As {@link Need#watch}. */
    void watch(WaitQueue other, boolean begins) {
        if (other != queue) { // which is told first of all
            watchers.watch(other, begins);
        }
    }

    /** Returns what {@link #take} would return, and takes nothing. Does not allocate. */
    abstract long peek(long nowNanos, long permits);

    /**
     * Gives permits back that were taken and not used: never more than is surely still owed, see ADR 68.
     *
     * @param nowNanos a reading of the clock
     * @param takenNanos the reading with which they were taken
     * @param permits as many as were taken then, or fewer
     */
    abstract void giveBack(long nowNanos, long takenNanos, long permits);

    /**
     * Counts permits as not used that were counted as used at any time, as far as any are now. See ADR 174.
     *
     * @param nowNanos a reading of the clock
     * @param permits from 1
     */
    abstract void refund(long nowNanos, long permits);

    /**
     * Counts permits as used that have been used already, whether they are there or not.
     *
     * @param nowNanos a reading of the clock
     * @param permits from 1; what is beyond the largest debt is forgiven
     */
    abstract void charge(long nowNanos, long permits);

    /** Returns how many permits could be taken, from 0 to the capacity. */
    abstract long available(long nowNanos);

    /** Returns in how many nanoseconds nothing will be used if nothing is taken, rounded up; 0 if nothing is. */
    abstract long resetNanos(long nowNanos);

    /** Returns a copy of the state. */
    abstract Forecast forecast(long nowNanos);

    /** Returns the largest number that {@link #take} may ever give. */
    abstract long capacity();

    /** Returns the limit that is in force. */
    @Override
    public abstract Limit limit();

    /**
     * Replaces the limit, in one step for all calls. One runs at a time.
     *
     * @throws IllegalArgumentException if the limit cannot hold the largest debt, or there is none to be replaced
     */
    abstract void replace(long nowNanos, Limit limit, CarriedFill carried);

    private RateLimitedException newRefusal(Limit limit) {
        return new RateLimitedException(name, message(name, limit), this::nextPermitNanos, true);
    }

    private static String message(String name, Limit limit) {
        return "limiter \"" + name + "\" has no permit: " + limit;
    }

    /** Says that a limiter has not so many permits, and when it would. */
    static String message(String name, Limit limit, long permits, long waitNanos) {
        String when = permits > limit.capacity()
                ? " at once are more than it ever has"
                : " would be there in " + (waitNanos < NEVER ? Nanos.text(waitNanos) : "more than 146 years");
        return message(name, limit) + "; " + permits + when;
    }

    /** Returns the refusal of one call, which would have had to wait for so long. */
    RateLimitedException refusal(long permits, long waitNanos) {
        return new RateLimitedException(name, message(name, limit(), permits, waitNanos), () -> waitNanos, false);
    }

    /** Returns in how long one more call could be admitted, behind those that wait. */
    final long nextPermitNanos() {
        return queue.occupied ? queue.waitBehindAll(one) : peek(clock.nanoTime(), 1);
    }

    @Override
    public long tryAcquireOrWaitNanos() {
        return tryTake(1, clock.nanoTime());
    }

    @Override
    public long tryAcquireOrWaitNanos(long permits) {
        return tryTake(requirePermits(permits), clock.nanoTime());
    }

    @Override
    public boolean tryAcquire() {
        return isTaken(1);
    }

    @Override
    public boolean tryAcquire(long permits) {
        return isTaken(requirePermits(permits));
    }

    private boolean isTaken(long permits) {
        if (queue.size() > 0) {
            refused();
            return false;
        }
        return tryTake(permits, clock.nanoTime()) == 0;
    }

    private static long requirePermits(long permits) {
        return Require.range("permits", permits, 1, Long.MAX_VALUE);
    }

    private long tryTake(long permits, long nowNanos) {
        long wait = queue.occupied ? queue.tryTake(need(permits)) : takeUnlocked(nowNanos, permits);
        countWaited(wait == 0);
        return wait;
    }

    boolean hasTotals() {
        return totals != null;
    }

    /** Counts a call, of which it is known now what becomes of it. */
    void count(boolean admitted) {
        if (totals != null) {
            totals.count(admitted);
        }
    }

    private void refused() {
        count(false);
        if (listener != Listener.NONE) {
            listener.onRefused(kind(), name);
        }
    }

    @Override
    public RateDecision decide(long permits) {
        long now = clock.nanoTime();
        long wait = tryTake(requirePermits(permits), now);
        return new RateDecision(wait == 0, name, limit(), queue.size() > 0 ? 0 : available(now), wait, resetNanos(now));
    }

    /** Returns the queue of calls that need permits of this limiter first, and of others. */
    WaitingCalls line() {
        WaitingCalls made = line.get();
        if (made != null) {
            return made;
        }
        line.compareAndSet(null, new WaitingCalls(this, NeededTogether.Plan::new, environment, maxWaiting));
        return Objects.requireNonNull(line.get());
    }

    private Need need(long permits) {
        return permits == 1 ? one : new Need.OfOne(this, permits);
    }

    @Override
    public void acquire(long permits, Duration maxWait) throws InterruptedException {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        waits.acquire(need(requirePermits(permits)), maxNanos);
    }

    @Override
    public CompletableFuture<@Nullable Void> acquireAsync(long permits, Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        return waits.acquireAsync(need(requirePermits(permits)), maxNanos);
    }

    @Override
    public Reservation reserve(long permits, Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        Need need = need(requirePermits(permits));
        return waits.reserve(new ReservationTicket.OneTicket(this, waits, need, permits), maxNanos);
    }

    /** Counts a call that has not to wait any more, in all forms but the gate's. */
    void countWaited(boolean admitted) {
        if (admitted) {
            count(true);
        } else {
            refused();
        }
    }

    @Override
    public void settle(long permits) {
        Require.range("permits", permits, -Long.MAX_VALUE, Long.MAX_VALUE);
        long now = clock.nanoTime();
        if (permits > 0) {
            charge(now, permits);
        } else if (permits < 0) {
            refund(now, -permits);
        }
        settled(permits);
    }

    /** Tells those that wait of permits that were counted as used, or, if the number is negative, given back. */
    void settled(long permits) {
        if (permits < 0) {
            waits.gaveBack();
            watchers.gaveBack();
        } else if (permits > 0) {
            if (queue.occupied) {
                queue.serveAfter(queue::planAnew);
            }
            watchers.planAnew();
        }
    }

    /** Gives permits back, and serves those that wait for some. */
    void giveBackAndServe(long nowNanos, long takenNanos, long permits) {
        giveBack(nowNanos, takenNanos, permits);
        settled(-permits);
    }

    @Override
    public void reconfigure(Limit limit, CarriedFill carried) {
        Require.nonNull("limit", limit);
        Require.nonNull("carried", carried);
        queue.serveAfter(() -> {
            replace(clock.nanoTime(), limit, carried);
            queue.planAnew();
            refusal = newRefusal(limit);
        });
        watchers.planAnew();
    }

    @Override
    public long tryEnter(long nowNanos) {
        boolean admitted;
        if (queue.occupied) {
            return tryEnterBesideQueue();
        }
        admitted = takeUnlocked(nowNanos, 1) == 0;
        countEntry(admitted);
        return admitted ? stamp(nowNanos) : REFUSED;
    }

    private long tryEnterBesideQueue() {
        long now = clock.nanoTime(); // before the one with which permits are taken, so that it is never given back more
        boolean admitted = queue.size() == 0 && queue.tryTake(one) == 0;
        countEntry(admitted);
        return admitted ? stamp(now) : REFUSED;
    }

    /** Counts a call at the gate, unless it may wait now: then it counts when its wait has ended. */
    private void countEntry(boolean admitted) {
        if (totals != null && (admitted || !mayWait())) {
            totals.count(admitted);
        }
    }

    @Override
    public boolean mayWait() {
        return maxWaitNanos > 0;
    }

    @Override
    public long enter(Deadline deadline) throws InterruptedException {
        if (!mayWait()) {
            return REFUSED;
        }
        long stamp = REFUSED;
        try {
            stamp = enterQueue(deadline);
        } finally {
            count(stamp != REFUSED);
        }
        return stamp;
    }

    private long enterQueue(Deadline deadline) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        Waiter waiter = new Waiter(one, Thread.currentThread());
        if (queue.enter(waiter, maxWaitNanos, deadline.remainingNanos()) > 0) {
            return REFUSED;
        }
        try {
            queue.await(waiter);
        } catch (RuntimeException | Error thrown) {
            waits.giveUp(waiter);
            throw thrown;
        }
        return stamp(waiter);
    }

    @Override
    public CompletableFuture<Long> enterAsync(Deadline deadline) {
        if (!mayWait()) {
            return CompletableFuture.completedFuture(REFUSED);
        }
        WaitFuture.OfCall future = new WaitFuture.OfCall(this, waits, one);
        long wait = queue.enter(future.waiter, maxWaitNanos, deadline.remainingNanos());
        if (wait == WaitQueue.QUEUED) {
            return future; // which counts
        }
        long stamp = stamp(future.waiter);
        count(stamp != REFUSED);
        return CompletableFuture.completedFuture(stamp);
    }

    /** Returns the stamp of a call whose wait has ended. */
    static long stamp(Waiter waiter) {
        return waiter.state == Waiter.ADMITTED ? stamp(waiter.takenNanos) : REFUSED;
    }

    /**
     * Returns the stamp of a call that was admitted at a time: that time but for its highest bit, and one that is set.
     */
    private static long stamp(long nanos) {
        return (nanos << 1) | 1;
    }

    @Override
    public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
        // Otherwise the permit was consumed at entry.
        if (verdict == Verdict.NOT_SENT) {
            giveBack(stamp);
        }
    }

    @Override
    public void cancel(long stamp, long startNanos) {
        giveBack(stamp);
    }

    private void giveBack(long stamp) {
        long now = clock.nanoTime();
        giveBackAndServe(now, now - ((stamp(now) - stamp) >>> 1), 1);
    }

    @Override
    public long availablePermits() {
        return available(clock.nanoTime());
    }

    @Override
    public int waiting() {
        return queue.size();
    }

    @Override
    public int timing() {
        return ENTRY;
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
    public void measure(Sink sink) {
        Require.nonNull("sink", sink)
                .value(name, LimiterMetrics.LIMITER_PERMITS_AVAILABLE, (double) availablePermits());
        sink.value(name, LimiterMetrics.LIMITER_CALLS_WAITING, queue.size());
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" [" + limit() + "]";
    }
}
