package dev.levee.core.idempotency;

import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.internal.Require;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Stores what an {@link Idempotency} knows of each key. Implement it to store that in another place.
 *
 * <p>A key is absent, in progress (owned under a lease), of unknown outcome, or recorded. {@link #claim} makes the
 * caller its owner or returns why not; the owner ends with one of {@link #record}, {@link #forget} and
 * {@link #unknown}. Three rules make it safe:
 *
 * <ul>
 *   <li>Each method is atomic, across all processes that share the store.
 *   <li>A key whose lease has ended is of unknown outcome: its next claim succeeds as {@link Status#OWNED_UNKNOWN},
 *       under the new owner. After that the old owner changes nothing; until then it still may, because what it knows
 *       is true.
 *   <li>Each method may be repeated by the same owner, with the same effect and the same result. So a store that is far
 *       away can be put behind a retry: {@code Retry.of("store").wrap(IdempotencyStore.class, store)}.
 * </ul>
 *
 * <p>An absent key is the only one that runs without a check, so no key may become absent early: a recorded or unknown
 * key is kept for a time that the store documents, and never dropped while it is in progress. Implementations are
 * thread-safe. What they throw is unchecked and reaches the caller if nothing has run yet.
 *
 * @param <T> the type of the results
 * @since 0.1
 */
public interface IdempotencyStore<T extends @Nullable Object> {
    /** What a {@link #claim} found. */
    enum Status {
        /** The key was absent, and the caller owns it now: run the operation. */
        OWNED,
        /** The outcome was unknown, and the caller owns the key now: find out before anything is run. */
        OWNED_UNKNOWN,
        /** Another call owns it. */
        IN_PROGRESS,
        /** It has ended, and how is known. */
        RECORDED,
        /** It was claimed before with another fingerprint. */
        MISMATCH,
        /** There is no room for one more key. */
        FULL
    }

    /**
     * The result of a {@link #claim}.
     *
     * @param status what was found
     * @param result what was recorded, if {@code RECORDED} and not a failure
     * @param failure the failure that was recorded, or null
     * @param leaseNanos how long the lease of the other owner still lasts, if {@code IN_PROGRESS}: more than zero
     * @param <T> the type of the result
     * @since 0.1
     */
    record Claim<T extends @Nullable Object>(
            Status status, @Nullable T result, @Nullable Throwable failure, long leaseNanos) {
        /**
         * Makes a result.
         *
         * @param status what was found
         * @param result what was recorded
         * @param failure the failure that was recorded
         * @param leaseNanos how long the other lease lasts
         * @throws NullPointerException if an argument is null
         */
        public Claim {
            Require.nonNull("status", status);
        }

        /**
         * Makes a result that holds nothing but a status.
         *
         * @param status what was found
         * @param <T> the type of the result
         * @return the result of the claim
         */
        public static <T extends @Nullable Object> Claim<T> of(Status status) {
            return new Claim<>(status, null, null, 0);
        }

        /**
         * Makes a result that says that another call owns the key.
         *
         * @param leaseNanos for how long at most, in nanoseconds
         * @param <T> the type of the result
         * @return the result of the claim
         */
        public static <T extends @Nullable Object> Claim<T> inProgress(long leaseNanos) {
            return new Claim<>(Status.IN_PROGRESS, null, null, leaseNanos);
        }

        /**
         * Makes a result that says how the key has ended.
         *
         * @param result the result that was recorded, if it did not fail
         * @param failure the failure that was recorded, or null
         * @param <T> the type of the result
         * @return the result of the claim
         */
        public static <T extends @Nullable Object> Claim<T> recorded(@Nullable T result, @Nullable Throwable failure) {
            return new Claim<>(Status.RECORDED, result, failure, 0);
        }
    }

    /**
     * Makes a store in the memory of this process: its keys are gone when that ends, and other processes do not see
     * them.
     *
     * @param maxKeys how many keys are held at most, from 1; when full, as said at {@link #inMemory(int, Duration,
     *     Duration, Environment)}
     * @param keep how long a key is held after it was recorded, or since its outcome is unknown; more than zero
     * @param environment the source of time
     * @param <T> the type of the results
     * @return a store in which an unknown outcome keeps its place for 10 minutes, or for {@code keep} if that is less;
     *     one lock, held for a few operations on maps
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a number is out of its range
     */
    static <T extends @Nullable Object> IdempotencyStore<T> inMemory(
            int maxKeys, Duration keep, Environment environment) {
        return new InMemoryIdempotencyStore<>(maxKeys, keep, environment);
    }

    /**
     * Makes a store in the memory of this process: its keys are gone when that ends, and other processes do not see
     * them.
     *
     * <p>When it is full, a new key takes the place of the oldest key that is recorded or whose outcome has been
     * unknown for {@code keepUnknown}; that is counted, and logged once. Keys in progress and those of a younger
     * unknown outcome are never evicted, and while there is nothing else, new keys are refused. So after a flood of
     * failures new keys are accepted again within {@code keepUnknown} at the latest. Each time that 80 % of
     * {@code maxKeys} are reached, by all keys or by those that may not be evicted, is a warning in the log.
     *
     * @param maxKeys how many keys are held at most, from 1
     * @param keep how long a key is held after it was recorded, or since its outcome is unknown, if there is room; more
     *     than zero
     * @param keepUnknown how long an unknown outcome keeps its place in a full store, counted from when it became
     *     unknown first; more than zero and at most {@code keep}. The longest time after which a repeat may come, if
     *     that is known; longer means that fewer failures fill the store
     * @param environment the source of time
     * @param <T> the type of the results
     * @return a store; one lock, held for a few operations on maps
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if a number is out of its range
     */
    static <T extends @Nullable Object> IdempotencyStore<T> inMemory(
            int maxKeys, Duration keep, Duration keepUnknown, Environment environment) {
        return new InMemoryIdempotencyStore<>("idempotency store in memory", maxKeys, keep, keepUnknown, environment);
    }

    /**
     * Takes ownership of a key that is absent or of unknown outcome, or returns what it is.
     *
     * @param key the key
     * @param fingerprint what distinguishes requests; compared with that of the first claim
     * @param owner the owner to be: a text that no other claim carries
     * @param leaseNanos how long the ownership lasts, in nanoseconds
     * @return what was found
     */
    Claim<T> claim(String key, String fingerprint, String owner, long leaseNanos);

    /**
     * Starts the lease of an owner anew that has found out that nothing was done and will now run the operation.
     *
     * @param key the key
     * @param owner the owner
     * @param leaseNanos how long the ownership lasts from now, in nanoseconds
     * @return whether the owner still owns it; if not it must not run anything
     */
    boolean renew(String key, String owner, long leaseNanos);

    /**
     * Records how the operation of a key ended.
     *
     * @param key the key
     * @param owner the owner
     * @param result the result
     * @param failure the failure, or null if there is a result
     * @return whether this is what is recorded; false if another owner has taken over
     */
    boolean record(String key, String owner, @Nullable T result, @Nullable Throwable failure);

    /**
     * Makes a key absent again, because nothing was done for certain.
     *
     * @param key the key
     * @param owner the owner
     * @return false if another owner has taken over
     */
    boolean forget(String key, String owner);

    /**
     * Makes the outcome of a key unknown, before its lease ends. The owner may still {@link #record} it later, until it
     * is claimed.
     *
     * @param key the key
     * @param owner the owner
     * @return false if another owner has taken over
     */
    boolean unknown(String key, String owner);

    /**
     * Returns whether the methods may block, on a socket for example; asynchronous calls then use the executor for
     * them.
     *
     * @return true by default
     */
    default boolean blocks() {
        return true;
    }

    /**
     * Writes the metrics of the store. By default there are none.
     *
     * @param policy the name to write them under
     * @param sink receives them on the calling thread
     */
    default void measure(String policy, Measured.Sink sink) {}
}
