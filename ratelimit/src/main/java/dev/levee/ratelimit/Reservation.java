package dev.levee.ratelimit;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A place in the queue of a {@link RateLimiter}: permits that are taken when their turn comes, whether or not anything
 * waits for them then, and that can be given back once.
 *
 * <pre>{@code
 * Reservation reservation = limiter.reserve(10, Duration.ofSeconds(2)); // RateLimitedException if that is too late
 * prepare(batch);                                                       // while its turn comes
 * reservation.await();
 * send(batch);
 * }</pre>
 *
 * <p>Use it where something can be done until the turn comes, or where the caller does its own waiting. A reservation
 * that is not needed is {@linkplain #cancel cancelled}; those behind it move up. Thread-safe.
 *
 * @since 0.1
 */
public interface Reservation {
    /**
     * Returns how many permits were reserved.
     *
     * @return from 1; 1 for all together that {@link Permits#reserve} has reserved
     */
    long permits();

    /**
     * Returns how long it is until the turn of this reservation, as planned now: shorter after those before it were
     * cancelled, longer after the limit was lowered. Does not block.
     *
     * @return nanoseconds; 0 if its permits were taken, or it was cancelled or refused
     */
    long waitNanos();

    /**
     * Returns whether the permits were taken and not given back: the work may begin.
     *
     * @return whether it is ready
     */
    boolean isReady();

    /**
     * Waits until the permits were taken. Blocks this thread; returns at once if they were.
     *
     * @throws InterruptedException if the thread is interrupted before or while it waits; the reservation is cancelled
     *     then
     * @throws RateLimitedException if the limit was changed, or permits were counted by {@link RateLimiter#settle}, so
     *     that the turn would come too late
     * @throws java.util.concurrent.CancellationException if the reservation was cancelled
     */
    void await() throws InterruptedException;

    /**
     * Returns a future of the moment at which the permits were taken. Does not block. It completes on the executor of
     * the environment, and fails as {@link #await} does. To cancel the future does not cancel the reservation.
     *
     * @return a new future
     */
    CompletableFuture<@Nullable Void> whenReady();

    /**
     * Gives the reservation back: its place if its turn has not come, or its permits, less the time since they were
     * taken, which has begun to refill the limiter. Call it only if the permits were not used; those that
     * {@link #settle} has given back come back once. Does not block.
     *
     * @return true the first time; false if there is nothing to give back, because that was done or it was refused
     */
    boolean cancel();

    /**
     * Counts the difference between what was reserved and what was used, where that is known only afterwards, as
     * {@link RateLimiter#settle}. What was used in excess is a debt of the limiter; what was not used is given back,
     * less the time since it was taken. Does not block.
     *
     * @param difference how many more permits were used than reserved; negative for fewer, 0 changes nothing
     * @throws IllegalArgumentException if more are to be given back than were reserved
     * @throws IllegalStateException if it is not {@linkplain #isReady ready}, or fewer permits are left than are to be
     *     given back
     * @throws UnsupportedOperationException if it is of several limiters ({@link Permits#reserve}): settle with each
     */
    void settle(long difference);
}
