package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.Arrays;
import java.util.Objects;

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
 * limiter itself, can wait, and allocates nothing.
 *
 * <p>A refusal leaves no part spent. <b>Between threads:</b> no limit ever admits more than it says. All limiters are
 * asked first; if one of them refuses nothing is taken. Then permits are taken in the order in which they were added,
 * and if another call is faster at one of them, those taken so far are given back at once. So a call may be refused
 * although each limit has room for it, but only at the moment at which another call that is refused at a later limiter
 * holds a permit of an earlier one. It does not wait, and does not queue behind calls that wait at one of the limiters.
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
        return new Permits(new OfLimiter(limiter, permits));
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
        return new Permits(new OfKey<>(limiter, key, permits));
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
        return and(new OfLimiter(limiter, permits));
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
        return and(new OfKey<>(limiter, key, permits));
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
     * Takes all permits if they are there now, or none. Does not wait for permits.
     *
     * @return whether they were taken; if not, which limiter refused, and when to come back
     */
    public PermitsDecision tryAcquire() {
        long longest = 0;
        NeededPart refusing = parts[0];
        for (NeededPart part : parts) {
            long wait = part.peek();
            if (wait > longest) {
                longest = wait;
                refusing = part;
            }
        }
        long[] takenAt = new long[parts.length];
        for (int i = 0; i < parts.length && longest == 0; i++) {
            takenAt[i] = parts[i].nanoTime();
            longest = parts[i].take(takenAt[i]);
            if (longest != 0) {
                refusing = parts[i];
                for (int taken = i - 1; taken >= 0; taken--) {
                    parts[taken].giveBack(takenAt[taken]);
                }
            }
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

    /** Some permits of one limiter. */
    private interface NeededPart {
        String name();

        long nanoTime();

        /** Returns 0 if the permits are there, else the wait, and takes nothing. */
        long peek();

        /** Takes the permits. Returns 0, or the wait. */
        long take(long nowNanos);

        void giveBack(long takenNanos);

        void counted(boolean isAdmitted);

        boolean isOfTheSame(NeededPart other);
    }

    private record OfLimiter(AbstractLimiter limiter, long permits) implements NeededPart {
        OfLimiter(RateLimiter limiter, long permits) {
            this(CombinedLimiter.part(Require.nonNull("limiter", limiter)), permits);
        }

        OfLimiter {
            Require.range("permits", permits, 1, Long.MAX_VALUE);
        }

        @Override
        public String name() {
            return limiter.name();
        }

        @Override
        public long nanoTime() {
            return limiter.environment().clock().nanoTime();
        }

        @Override
        public long peek() {
            return limiter.peek(nanoTime(), permits);
        }

        @Override
        public long take(long nowNanos) {
            return limiter.take(nowNanos, permits);
        }

        @Override
        public void giveBack(long takenNanos) {
            limiter.giveBack(takenNanos, takenNanos, permits);
        }

        @Override
        public void counted(boolean isAdmitted) {
            limiter.countWaited(isAdmitted);
        }

        @Override
        public boolean isOfTheSame(NeededPart other) {
            return other instanceof OfLimiter another
                    && CombinedLimiter.leaves(another.limiter)
                            .anyMatch(leaf -> CombinedLimiter.leaves(limiter).anyMatch(mine -> mine == leaf));
        }

        @Override
        public String toString() {
            return permits + " of \"" + name() + "\"";
        }
    }

    /** The limiter counts its calls by itself. */
    private record OfKey<K>(KeyedRateLimiter<K> limiter, K key, long permits) implements NeededPart {
        OfKey {
            Require.nonNull("limiter", limiter);
            Require.nonNull("key", key);
            Require.range("permits", permits, 1, Long.MAX_VALUE);
        }

        @Override
        public String name() {
            return limiter.name();
        }

        @Override
        public long nanoTime() {
            return 0; // it reads its own clock
        }

        @Override
        public long peek() {
            if (limiter.availablePermits(key) >= permits) {
                return 0;
            }
            long wait = take(0);
            if (wait == 0) { // they have come meanwhile
                giveBack(0);
            }
            return wait;
        }

        @Override
        public long take(long nowNanos) {
            return Math.min(Nanos.NEVER, limiter.tryAcquireOrWaitNanos(key, permits));
        }

        @Override
        public void giveBack(long takenNanos) {
            limiter.settle(key, -permits);
        }

        @Override
        public void counted(boolean isAdmitted) {}

        @Override
        public boolean isOfTheSame(NeededPart other) {
            return other instanceof OfKey<?> another
                    && another.limiter == (Object) limiter
                    && Objects.equals(another.key, key);
        }

        @Override
        public String toString() {
            return permits + " of a key of \"" + name() + "\"";
        }
    }
}
