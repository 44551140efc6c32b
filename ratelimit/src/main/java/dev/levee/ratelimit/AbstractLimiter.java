package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Listener;
import dev.levee.core.NanoClock;
import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Require;
import org.jspecify.annotations.Nullable;

/**
 * What all algorithms of {@link RateLimiter} share: name, listener, totals, refusal, the gate, waiting, reservations
 * and decisions. An algorithm adds the arithmetic, as primitives over readings of the clock:
 *
 * <pre>{@code
 * long take(long nowNanos, long permits)                        // 0: taken; else the wait, or NEVER
 * long peek(long nowNanos, long permits)                        // the answer of take, with nothing taken
 * void giveBack(long nowNanos, long takenNanos, long permits)   // what is surely still owed
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
        this.refusal = newRefusal(config.limit());
    }

    /** Makes the limiter of a configuration: the one place that knows all algorithms. */
    static RateLimiter of(String name, RateLimiterConfig config, Environment environment) {
        Require.name(name);
        Require.nonNull("environment", environment);
        return Require.nonNull("config", config).limit() instanceof TokenBucketLimit
                ? new TokenBucket(name, config, environment)
                : new MeteredLimiter(name, config, environment);
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
     * @throws IllegalArgumentException if the limit is of another algorithm
     */
    abstract void replace(long nowNanos, Limit limit, CarriedFill carried);

    private RateLimitedException newRefusal(Limit limit) {
        return new RateLimitedException(
                name, "limiter \"" + name + "\" has no permit: " + limit, this::nextPermitNanos, true);
    }

    private long nextPermitNanos() {
        return peek(clock.nanoTime(), 1);
    }

    @Override
    public long tryAcquireOrWaitNanos() {
        return tryTake(1);
    }

    @Override
    public long tryAcquireOrWaitNanos(long permits) {
        return tryTake(Require.range("permits", permits, 1, Long.MAX_VALUE));
    }

    private long tryTake(long permits) {
        long wait = take(clock.nanoTime(), permits);
        if (wait == 0) {
            count(true);
        } else {
            refused();
        }
        return wait;
    }

    private void count(boolean admitted) {
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
    public long tryEnter(long nowNanos) {
        boolean admitted = take(nowNanos, 1) == 0;
        count(admitted);
        return admitted ? stamp(nowNanos) : REFUSED;
    }

    /** Returns the stamp of a call that was admitted at a time: that time but for its highest bit, and one that is set. */
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
        giveBack(now, now - ((stamp(now) - stamp) >>> 1), 1);
    }

    @Override
    public long availablePermits() {
        return available(clock.nanoTime());
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
        Require.nonNull("sink", sink).value(name, "limiter.permits.available", (double) availablePermits());
        if (totals != null) {
            totals.measure(name, sink);
        }
    }

    @Override
    public String toString() {
        return "limiter \"" + name + "\" [" + limit() + "]";
    }
}
