package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * What one call needs of several limiters: so many permits of each, taken together or not at all.
 *
 * <pre>{@code
 * Permits needed = Permits.of(requests, 1).and(bytes, 5_000).and(perTenant, tenant, 1);
 * PermitsDecision decision = needed.tryAcquire();
 * if (!decision.isAdmitted()) { ... }  // limiter() has refused; again after retryAfterNanos()
 * }</pre>
 *
 * <p>Use it for limits of different units, such as requests and bytes, and for hierarchies with keys: a user under a
 * tenant under all. Where each limiter gives as many permits, and none has a key, {@link RateLimiter#allOf} is a
 * limiter itself, is a gate, and allocates nothing.
 *
 * <p>A refusal leaves no part spent. <b>Between threads:</b> no limit ever admits more than it says. All limiters are
 * asked first; if one of them refuses nothing is taken. Then permits are taken in the order in which they were added,
 * and if another call is faster at one of them, those taken so far are given back at once. So a call may be refused
 * although each limit has room for it, but only at the moment at which another call that is refused at a later limiter
 * holds a permit of an earlier one. A call may wait ({@link #acquire}, {@link #acquireAsync}, {@link #reserve}), in a
 * queue of those that need several limiters; it does not queue behind calls that wait at one of the limiters alone.
 *
 * <p>Immutable; can be used for one call or for many. Making one allocates, taking does too.
 *
 * @since 0.1
 */
public final class Permits {
    private final NeededPart[] parts;

    private Permits(NeededPart... parts) {
        this.parts = parts;
    }

    /**
     * Begins with permits of a limiter.
     *
     * @param limiter made by {@link RateLimiter#of} or {@link RateLimiter#allOf}
     * @param permits how many, from 1
     * @return what is needed
     * @throws NullPointerException if the limiter is null
     * @throws IllegalArgumentException if the number is less than 1, or the limiter was made by other code
     */
    public static Permits of(RateLimiter limiter, long permits) {
        return new Permits(new NeededPart.OfLimiter(limiter, permits));
    }

    /**
     * Begins with permits of a key.
     *
     * @param limiter the limiter
     * @param key the key
     * @param permits how many, from 1
     * @param <K> a key
     * @return what is needed
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the number is less than 1
     */
    public static <K> Permits of(KeyedRateLimiter<K> limiter, K key, long permits) {
        return new Permits(new NeededPart.OfKey<>(limiter, key, permits));
    }

    /**
     * Adds permits of another limiter.
     *
     * @param limiter made by {@link RateLimiter#of} or {@link RateLimiter#allOf}
     * @param permits how many, from 1
     * @return what is needed in all
     * @throws NullPointerException if the limiter is null
     * @throws IllegalArgumentException if the number is less than 1, the limiter was made by other code, or is there
     *     already, alone or in a combination
     */
    public Permits and(RateLimiter limiter, long permits) {
        return and(new NeededPart.OfLimiter(limiter, permits));
    }

    /**
     * Adds permits of a key.
     *
     * @param limiter the limiter
     * @param key the key
     * @param permits how many, from 1
     * @param <K> a key
     * @return what is needed in all
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the number is less than 1, or the limiter is there already with this key
     */
    public <K> Permits and(KeyedRateLimiter<K> limiter, K key, long permits) {
        return and(new NeededPart.OfKey<>(limiter, key, permits));
    }

    private Permits and(NeededPart part) {
        for (NeededPart other : parts) {
            if (other.isOfTheSame(part)) {
                throw new IllegalArgumentException("limiters must differ, but " + part + " is there twice");
            }
        }
        NeededPart[] all = Arrays.copyOf(parts, parts.length + 1);
        all[parts.length] = part;
        return new Permits(all);
    }

    /**
     * Takes all permits if they are there now, or none. Does not wait for permits; while a call waits in the same queue
     * ({@link #acquire}) nothing is there.
     *
     * @return whether they were taken; if not, which limiter refused, and when to come back
     */
    public PermitsDecision tryAcquire() {
        WaitingCalls line = line();
        return line != null && line.queue.occupied ? tryAcquireBehind(line) : tryAcquireAlone();
    }

    /** Others wait: it takes nothing before them. */
    private PermitsDecision tryAcquireBehind(WaitingCalls line) {
        NeededTogether need = needed();
        long wait = line.queue.tryTake(need);
        need.counted(wait == 0);
        return new PermitsDecision(wait == 0, wait == 0 ? "" : need.tightest().name(), wait);
    }

    private PermitsDecision tryAcquireAlone() {
        long longest = 0;
        NeededPart refusing = parts[0];
        for (NeededPart part : parts) {
            long wait = part.peek(part.nanoTime());
            if (wait > longest) {
                longest = wait;
                refusing = part;
            }
        }
        long[] takenAt = new long[parts.length];
        int taken = 0;
        try {
            for (; taken < parts.length && longest == 0; taken++) {
                takenAt[taken] = parts[taken].nanoTime();
                longest = parts[taken].take(takenAt[taken]);
                if (longest != 0) {
                    refusing = parts[taken];
                    giveBack(taken, takenAt);
                    gaveBack(taken);
                }
            }
        } catch (RuntimeException | Error thrown) { // a key, a limit or a clock of a user
            if (longest == 0) {
                giveBack(taken, takenAt);
                gaveBack(taken);
            }
            throw thrown;
        }
        if (longest != 0) {
            refusing.counted(false);
            return new PermitsDecision(false, refusing.name(), longest);
        }
        for (NeededPart part : parts) {
            part.counted(true);
        }
        return new PermitsDecision(true, "", 0);
    }

    /** Gives back the first parts of a call that does not get the others, each of them whatever the others do. */
    private void giveBack(int count, long... takenAt) {
        if (count > 0) {
            try {
                parts[count - 1].giveBack(takenAt[count - 1], takenAt[count - 1]);
            } finally {
                giveBack(count - 1, takenAt);
            }
        }
    }

    /** Tells those that were refused meanwhile. */
    private void gaveBack(int count) {
        for (int i = 0; i < count; i++) {
            parts[i].gaveBack();
        }
    }

    /** The queue in which calls wait that need permits of the same limiter first; null if there is no limiter. */
    private @Nullable WaitingCalls line() {
        for (NeededPart part : parts) {
            if (part instanceof NeededPart.OfLimiter first) {
                return CombinedLimiter.leaves(first.limiter())
                        .findFirst()
                        .orElseThrow()
                        .line();
            }
        }
        return null;
    }

    private WaitingCalls requireLine() {
        WaitingCalls line = line();
        if (line == null) {
            throw new IllegalStateException("a call must need a limiter without keys to wait at it, but needs " + this);
        }
        for (NeededPart part : parts) {
            if (part instanceof NeededPart.OfLimiter of
                    && of.limiter().environment().clock() != line.environment.clock()) {
                throw new IllegalStateException(
                        "limiters must have one clock for a call that waits, but needs " + this);
            }
        }
        return line;
    }

    /** Runs code of users that keys are found by. */
    private NeededTogether needed() {
        return new NeededTogether(Arrays.stream(parts).map(NeededPart::waitable).toArray(NeededPart.Waitable[]::new));
    }

    /**
     * Takes all permits, and waits for them on this thread.
     *
     * <p>First come first served among all calls whose first limiter without keys is the same, in all forms of waiting:
     * nothing is taken before its turn, and nothing overtakes. Their queue is another one than that of calls that wait
     * for the limiter alone. So put that limiter first at which calls should queue; where one key must not keep others
     * waiting, take {@link #tryAcquire} and come back after its {@code retryAfterNanos}. Otherwise as
     * {@link RateLimiter#acquire(long, Duration)}: a call whose turn would come later than it can wait, or than the
     * deadline of its {@link dev.levee.core.CallContext}, does not wait at all; one that is interrupted holds nothing.
     *
     * @param maxWait how long to wait at most; zero for not at all, {@code Deadline.FOREVER} for no bound
     * @throws InterruptedException if the thread is interrupted before it has the permits; it holds none then
     * @throws RateLimitedException at once if the permits would come later, or too many calls wait; with the name of
     *     the limiter for which it would wait longest, and after what time all would be there
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if it is negative
     * @throws IllegalStateException if there is no limiter without keys, they have different clocks, or that of a key
     *     was made by other code
     */
    public void acquire(Duration maxWait) throws InterruptedException {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        requireLine().acquire(needed(), maxNanos);
    }

    /**
     * Takes all permits, and waits for them without a thread; in one queue with {@link #acquire}. Does not block.
     *
     * <p>Cancel the future, or complete it otherwise ({@code orTimeout}), to give up: then no permit is held.
     *
     * @param maxWait how long to wait at most; zero for not at all, {@code Deadline.FOREVER} for no bound
     * @return a future that completes when all were taken, on the executor of the environment of the first limiter, or
     *     fails with a {@link RateLimitedException}, at once if they would come later
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if it is negative
     * @throws IllegalStateException if there is no limiter without keys, they have different clocks, or that of a key
     *     was made by other code
     */
    public CompletableFuture<@Nullable Void> acquireAsync(Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        return requireLine().acquireAsync(needed(), maxNanos);
    }

    /**
     * Reserves all permits: takes a place in one queue with {@link #acquire}, also for work after the call that
     * reserves. Does not block. The reservation counts as one permit; what was used more or less is settled with each
     * limiter.
     *
     * @param maxWait how far away its turn may be at most
     * @return the reservation
     * @throws RateLimitedException if its turn would come later, or too many calls wait
     * @throws NullPointerException if {@code maxWait} is null
     * @throws IllegalArgumentException if it is negative
     * @throws IllegalStateException if there is no limiter without keys, they have different clocks, or that of a key
     *     was made by other code
     */
    public Reservation reserve(Duration maxWait) {
        long maxNanos = Nanos.of(Require.notNegative("maxWait", maxWait));
        WaitingCalls line = requireLine();
        return line.reserve(new ReservationTicket.OfSeveral(line, needed(), toString()), maxNanos);
    }

    /**
     * Returns what is needed in words, such as {@code 1 of "requests" and 5000 of "bytes"}.
     *
     * @return the words
     */
    @Override
    public String toString() {
        StringBuilder words = new StringBuilder();
        for (NeededPart part : parts) {
            words.append(words.isEmpty() ? "" : " and ").append(part);
        }
        return words.toString();
    }
}
