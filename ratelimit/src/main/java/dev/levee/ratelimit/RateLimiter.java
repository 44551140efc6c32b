package dev.levee.ratelimit;

import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.Measured;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.function.Consumer;

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
 * dependency that got slow), and not for one limit per client (that is {@link KeyedRateLimiter}). It never waits: a
 * call without a permit is refused.
 *
 * <p>A permit is consumed, not borrowed: when a call ends gives nothing back. Only a call that was surely not sent
 * does, because a policy further in refused it ({@link Gate#cancel}) or it never reached the other side (an
 * {@link Gate#exit} with {@code NOT_SENT}): its permit comes back, less the time since it was taken, which has begun to
 * refill the bucket. As a gate it takes one permit a call, at the stamp that it is given ({@link Gate#ENTRY}), which
 * must be a reading of the environment's clock. With a stamp that is late it can only refuse more, never admit more.
 * The calls that were sent never exceed the limit over any window, whatever came back meanwhile. See ADR 68.
 *
 * <p>Thread-safe and lock-free: an admission is one reading of the clock and one write to one word, a refusal writes
 * nothing; neither allocates. Threads are not queued: the call that comes at the right moment gets the permit.
 *
 * <p>Metrics: {@code limiter.permits.available}, and with {@link RateLimiterConfig.Builder#totals totals}
 * {@code limiter.calls.admitted} and {@code limiter.calls.refused}. A listener receives {@code onRefused} once for each
 * refused call, whether it came by a {@code call} or by {@code tryAcquire}; not for a bare {@link Gate#tryEnter}, whose
 * caller notifies it.
 *
 * <p>Provisional: grows until calls can wait for a permit and reserve it; names may change.
 *
 * @since 0.1
 */
public interface RateLimiter extends Gate, Measured {
    /** The wait of a call that can never be admitted, because it needs more permits than the bucket holds. */
    long NEVER = Nanos.NEVER;

    /**
     * Makes a limiter in the machine's time.
     *
     * @param name for logs, metrics and refusals
     * @param limit how much it admits
     * @return the limiter, with a full bucket
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
     * @return the limiter, with a full bucket
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
     * @return the limiter, with a full bucket
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
     * @return the limiter, with a full bucket
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
     * @return the limiter, with a full bucket
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
     * @return the limiter, with a full bucket
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
     * it says. All limits are asked before the first permit is taken, and if another call is faster at one of them, what
     * was taken is given back at once. So a call may be refused although each limit has room for it, but only at the
     * moment at which another call that is refused at a later limit of the list holds a permit of an earlier one.
     *
     * <p>Calls that wait, wait at the combination, and not in the queues of its limiters. It costs an admission about
     * one compare-and-set for each limit, and allocates nothing; a refusal writes nothing. Its {@link #limit} is that
     * which is the tightest now, and cannot be replaced; those of its limiters can.
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
     * <p>A call that needs many can be starved by calls that need few and come more often.
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
     * <p>A call that needs many can be starved by calls that need few and come more often.
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
     * Returns the limit that is in force.
     *
     * @return the limit
     */
    Limit limit();
}
