package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.WaitingGate;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A rate limiter: bounds the rate of calls by a token bucket whose permits come back evenly.
 *
 * <pre>{@code
 * RateLimiter limiter = RateLimiter.of("mail", Limit.perSecond(100).burst(200));
 * limiter.run(() -> mail.send(message));            // RateLimitedException when there is no permit
 * if (limiter.tryAcquire()) { ... }                 // or by hand
 * long wait = limiter.tryAcquireOrWaitNanos();      // 0: admitted; else when it could be
 * }</pre>
 *
 * <p>Use it to keep within a quota of another party, or to spread load; inside a breaker, so that calls which are not
 * made cost no permit. Not for bounding how many calls are in flight (that is a bulkhead: a rate says nothing about a
 * dependency that got slow), and not for one limit per client (that is {@link KeyedRateLimiter}).
 *
 * <p>A call without a permit is refused, unless it may wait: in a pipeline by
 * {@link RateLimiterConfig.Builder#maxWait}, by hand by {@link #acquire}, {@link #acquireAsync} or {@link #reserve}.
 * All that wait are in one queue, first come first served; nothing is taken before its turn, and a wait that cannot
 * succeed in time fails at once. See ADR 85.
 *
 * <p>A permit is consumed, not borrowed: when a call ends gives nothing back. Only a call that was surely not sent
 * does, because a policy further in refused it ({@link Gate#cancel}) or it never reached the other side (an
 * {@link Gate#exit} with {@code NOT_SENT}): its permit comes back, less the time since it was taken, which has begun to
 * refill the bucket. As a gate it takes one permit a call, at the stamp that it is given ({@link Gate#ENTRY}), which
 * must be a reading of the environment's clock. With a stamp that is late it can only refuse more, never admit more.
 * The calls that were sent never exceed the limit over any window, whatever came back meanwhile. See ADR 68.
 *
 * <p>Thread-safe. While no call waits it is lock-free: an admission is one reading of the clock and one write to one
 * word, a refusal writes nothing; neither allocates. Calls that do not wait are not queued: the one that comes at the
 * right moment gets the permit.
 *
 * <p>Metrics: {@code limiter.permits.available} and {@code limiter.calls.waiting}, and with
 * {@link RateLimiterConfig.Builder#totals totals} {@code limiter.calls.admitted} and {@code limiter.calls.refused}. A
 * listener receives {@code onRefused} once for each refused call, whether it came by a {@code call} or by
 * {@code tryAcquire}; not for a bare {@link Gate#tryEnter}, whose caller notifies it.
 *
 * @since 0.1
 */
public interface RateLimiter extends WaitingGate, Measured {
    /** The wait of a call that can never be admitted, because it needs more permits than the bucket holds. */
    long NEVER = Nanos.NEVER;

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param limit how much it admits
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RateLimiter of(String name, Limit limit) {
        return of(name, limit, Environment.system());
    }

    /**
     * Makes a limiter.
     *
     * @param name for logs, metrics and refusals
     * @param limit how much it admits
     * @param environment the source of time, and the listener for refusals
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RateLimiter of(String name, Limit limit, Environment environment) {
        return of(name, config -> config.limit(limit), environment);
    }

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets the limit, and what differs from the defaults
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or there is no limit
     */
    static RateLimiter of(String name, Consumer<? super RateLimiterConfig.Builder> configure) {
        return of(name, configure, Environment.system());
    }

    /**
     * Makes a limiter.
     *
     * @param name for logs, metrics and refusals
     * @param configure sets the limit, and what differs from the defaults
     * @param environment the source of time, and the listener for refusals
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character or there is no limit
     */
    static RateLimiter of(String name, Consumer<? super RateLimiterConfig.Builder> configure, Environment environment) {
        RateLimiterConfig config = Require.configured(
                Kind.LIMITER.label(), name, RateLimiterConfig.builder(), configure, RateLimiterConfig.Builder::build);
        return of(name, config, environment);
    }

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RateLimiter of(String name, RateLimiterConfig config) {
        return of(name, config, Environment.system());
    }

    /**
     * Makes a limiter.
     *
     * @param name for logs, metrics and refusals
     * @param config the settings
     * @param environment the source of time, and the listener for refusals
     * @return the limiter, with all permits unless the settings say otherwise
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static RateLimiter of(String name, RateLimiterConfig config, Environment environment) {
        return AbstractLimiter.of(name, config, environment);
    }

    /**
     * Makes one limiter of several, in whose environment it is: a call takes its permits of each of them, or of none.
     * See {@link #allOf(String, List)}.
     *
     * @param name for logs, metrics and refusals
     * @param limiters different ones, with one clock
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limiter, or one is
     *     there twice, has another clock or was made by other code
     */
    static RateLimiter allOf(String name, RateLimiter... limiters) {
        return allOf(name, List.of(limiters));
    }

    /**
     * Makes one limiter of several, in the environment of the first: a call takes its permits of each of them, or of
     * none.
     *
     * <pre>{@code
     * RateLimiter plan = RateLimiter.allOf("plan", perSecond, perDay);
     * }</pre>
     *
     * <p>The limiters can be used alone and in other combinations, too: that of a tenant together with the one of all.
     * For different numbers of permits of each, such as one request and so many bytes, see {@link Permits}.
     *
     * <p>A refusal leaves no permit spent. {@link #refusal} is that of the limiter for which the call would wait
     * longest, with its name; a wait is the longest one of all. <b>Between threads:</b> no limit ever admits more than
     * it says. All limits are asked before the first permit is taken, and if another call is faster at one of them,
     * what was taken is given back at once. So a call may be refused although each limit has room for it, but only at
     * the moment at which another call that is refused at a later limit of the list holds a permit of an earlier one.
     *
     * <p>Calls that wait, wait at the combination, and not in the queues of its limiters: in a pipeline as long as each
     * of these lets one wait ({@link RateLimiterConfig#maxWait}, the shortest), and as many. It costs an admission
     * about one compare-and-set for each limit, and allocates nothing; a refusal writes nothing. Its {@link #limit} is
     * that which is the tightest now, and cannot be replaced; those of its limiters can. It counts its calls if one of
     * its limiters does ({@link RateLimiterConfig.Builder#totals}), under its own name: totals of a limiter are of the
     * calls that were made at it alone.
     *
     * @param name for logs, metrics and refusals
     * @param limiters different ones, with one clock
     * @return the limiter
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character, there is no limiter, or one is
     *     there twice, has another clock or was made by other code
     */
    static RateLimiter allOf(String name, List<? extends RateLimiter> limiters) {
        return CombinedLimiter.of(name, limiters);
    }

    @Override
    default Kind kind() {
        return Kind.LIMITER;
    }

    /**
     * Takes a permit if there is one now. Does not block, does not allocate, reads the clock once.
     *
     * @return whether the permit was taken
     */
    default boolean tryAcquire() {
        return tryAcquireOrWaitNanos() == 0;
    }

    /**
     * Takes several permits at once, or none. Does not block, does not allocate, reads the clock once.
     *
     * <p>A call that needs many can be starved by calls that need few and come more often, unless it waits
     * ({@link #acquire}): while a call waits, those that come later are refused here.
     *
     * @param permits how many, from 1
     * @return whether the permits were taken; never if they are more than the burst of the limit
     * @throws IllegalArgumentException if the number is less than 1
     */
    default boolean tryAcquire(long permits) {
        return tryAcquireOrWaitNanos(permits) == 0;
    }

    /**
     * Takes a permit if there is one now, or returns when there will be one. Does not block, does not allocate, reads
     * the clock once.
     *
     * @return 0 if the permit was taken; else in how many nanoseconds it could be if no other call takes it, rounded up
     */
    long tryAcquireOrWaitNanos();

    /**
     * Takes several permits at once, or returns when they will be there. Does not block, does not allocate, reads the
     * clock once.
     *
     * <p>A call that needs many can be starved by calls that need few and come more often, unless it waits
     * ({@link #acquire}): while a call waits, those that come later are refused here.
     *
     * @param permits how many, from 1
     * @return 0 if the permits were taken; else in how many nanoseconds they could be if no other call takes them,
     *     rounded up; {@link #NEVER} if they are more than the burst of the limit
     * @throws IllegalArgumentException if the number is less than 1
     */
    long tryAcquireOrWaitNanos(long permits);

    /**
     * Returns how many permits could be taken now.
     *
     * @return from 0 to the burst of the limit
     */
    long availablePermits();

    /**
     * Takes permits if they are there now, and returns what was decided. Does not block, reads the clock once;
     * allocates the answer.
     *
     * @param permits how many, from 1
     * @return the decision, of the moment at which it was made
     * @throws IllegalArgumentException if the number is less than 1
     */
    RateDecision decide(long permits);

    /**
     * Takes a permit, and waits for it; see {@link #acquire(long, Duration)}.
     *
     * @param maxWait how long to wait at most
     * @throws InterruptedException if the thread is interrupted before it has the permit; it holds none then
     * @throws RateLimitedException at once if the permit would come later
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if it is negative
     */
    default void acquire(Duration maxWait) throws InterruptedException {
        acquire(1, maxWait);
    }

    /**
     * Takes permits, and waits for them on this thread.
     *
     * <p>First come first served, in all forms of waiting: nothing is taken before its turn, and nothing overtakes, so
     * a call that needs many is not starved. A call whose turn would come later than it can wait does not wait at all.
     * A thread that is interrupted leaves the queue, and those behind it move up; an interrupt from before the call
     * counts also if permits are there. A call does not wait until the deadline of {@link dev.levee.core.CallContext}:
     * if its turn would come as late it is refused at once, whatever {@code maxWait} is. Timers of the machine are late
     * by up to a millisecond, and so may this method be.
     *
     * @param permits how many, from 1
     * @param maxWait how long to wait at most; zero for not at all, {@code Deadline.FOREVER} for no bound
     * @throws InterruptedException if the thread is interrupted before it has the permits; it holds none then
     * @throws RateLimitedException at once if the permits would come later, or too many calls wait; after a while if a
     *     change of the limit made it so. {@link RateLimitedException#retryAfterNanos} is how long they would have
     *     taken; {@link #NEVER} if they are more than the capacity
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if the number is less than 1, or the wait is negative
     */
    void acquire(long permits, Duration maxWait) throws InterruptedException;

    /**
     * Takes permits, and waits for them without a thread; in one queue with {@link #acquire(long, Duration)}, and as
     * there not past the deadline of the context in which this is called. Does not block.
     *
     * <p>Cancel the future, or complete it otherwise ({@code orTimeout}), to give up: then no permit is held.
     *
     * @param permits how many, from 1
     * @param maxWait how long to wait at most; zero for not at all, {@code Deadline.FOREVER} for no bound
     * @return a future that completes when the permits were taken, on the executor of the environment, or fails with a
     *     {@link RateLimitedException}, at once if they would come later
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if the number is less than 1, or the wait is negative
     */
    CompletableFuture<@Nullable Void> acquireAsync(long permits, Duration maxWait);

    /**
     * Reserves permits: takes a place in the queue of those that wait, also for work after the call that reserves: no
     * deadline bounds it but {@code maxWait}. Does not block.
     *
     * @param permits how many, from 1
     * @param maxWait how far away its turn may be at most
     * @return the reservation
     * @throws RateLimitedException if its turn would come later, or too many calls wait
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if the number is less than 1, or the wait is negative
     */
    Reservation reserve(long permits, Duration maxWait);

    /**
     * Counts the difference between what a call has taken and what it has used, where that is known only afterwards,
     * such as the bytes of an answer. Does not block.
     *
     * <p>What was used in excess is taken in any case, as a debt down to {@link RateLimiterConfig#maxDebt}; nothing is
     * admitted until time has paid it, and what is beyond that is forgiven. What was not used is given back, and counts
     * from then on; give it back soon: a limiter that has filled up in between holds no more than its capacity, and the
     * bound of the limit holds for what was taken, not for what was used.
     *
     * @param permits how many more were used than taken; negative for fewer, 0 changes nothing
     * @throws IllegalArgumentException if it is {@code Long.MIN_VALUE}
     */
    void settle(long permits);

    /**
     * Changes the limit, live: in one step between two calls, of which each is decided by the old limit or the new one.
     * As many permits stay used as were.
     *
     * @param limit the new limit, of any kind
     * @throws NullPointerException if it is null
     * @throws IllegalArgumentException if it cannot hold the largest debt, or the limiter is one of several
     *     ({@link #allOf}), which are changed one by one
     */
    default void reconfigure(Limit limit) {
        reconfigure(limit, CarriedFill.SAME_USED);
    }

    /**
     * Changes the limit, live: in one step between two calls, of which each is decided by the old limit or the new one.
     * The turns of calls that wait are planned anew; those that cannot be served in time any more are refused at once.
     *
     * <p>The algorithm may change, too: permits that are used are then carried over as a number, rounded up, and count
     * in the new limit as if they had been used now. Permits that were taken before such a change are not given back
     * after it.
     *
     * @param limit the new limit, of any kind
     * @param carried what becomes of the permits that are used
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if it cannot hold the largest debt, or the limiter is one of several
     *     ({@link #allOf}), which are changed one by one
     */
    void reconfigure(Limit limit, CarriedFill carried);

    /**
     * Returns how many calls wait, in all forms; reservations whose turn has not come too.
     *
     * @return from 0
     */
    int waiting();

    /**
     * Returns the limit that is in force.
     *
     * @return the limit
     */
    Limit limit();
}
