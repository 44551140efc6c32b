package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.util.Objects;

/** Some permits of one limiter, for {@link Permits}. */
interface NeededPart {
    String name();

    /** Returns a reading of the clock for {@link #take}, or 0 if it reads its own. */
    default long nanoTime() {
        return 0;
    }

    /** Returns 0 if the permits are there, else the wait, and takes nothing. */
    long peek(long nowNanos);

    /** Takes the permits. Returns 0, or the wait. */
    long take(long nowNanos);

    void giveBack(long nowNanos, long takenNanos);

    /** Serves those that wait for what was given back. Not under a lock. */
    void gaveBack();

    void counted(boolean isAdmitted);

    boolean isOfTheSame(NeededPart other);

    /** The same for a call that waits, with nothing left that runs code of users; called when none is locked. */
    Waitable waitable();

    /** A part of a call that waits. Methods run no code of users, but for {@link #counted} and {@link #refusal}. */
    interface Waitable extends NeededPart {
        boolean isTooMuch();

        /** What tells one plan from another: the limiter, or the key of one. */
        Object planned();

        /** Makes the forecast of what is {@link #planned}. */
        Forecast forecast(NeededTogether.Plan plan);

        long permits();

        /** As {@link Need#isSameSpan}. */
        default boolean isSameSpan(long plannedNanos, long nowNanos) {
            return true;
        }

        /** As {@link Need#watch}. */
        void watch(WaitQueue queue, boolean begins);

        RateLimitedException refusal(long waitNanos);

        @Override
        default Waitable waitable() {
            return this;
        }
    }

    /** Of a limiter. */
    record OfLimiter(AbstractLimiter limiter, long permits) implements Waitable {
        OfLimiter(RateLimiter limiter, long permits) {
            this(CombinedLimiter.part(Require.nonNull("limiter", limiter)), permits);
        }

        public OfLimiter {
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
        public long peek(long nowNanos) {
            return limiter.peek(nowNanos, permits);
        }

        @Override
        public long take(long nowNanos) {
            return limiter.take(nowNanos, permits);
        }

        @Override
        public void giveBack(long nowNanos, long takenNanos) {
            limiter.giveBack(nowNanos, takenNanos, permits);
        }

        @Override
        public void gaveBack() {
            limiter.settled(-permits);
        }

        @Override
        public boolean isSameSpan(long plannedNanos, long nowNanos) {
            return limiter.isSameSpan(plannedNanos, nowNanos);
        }

        @Override
        public void watch(WaitQueue queue, boolean begins) {
            limiter.watch(queue, begins);
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
        public boolean isTooMuch() {
            return permits > limiter.capacity();
        }

        @Override
        public Object planned() {
            return limiter;
        }

        @Override
        public Forecast forecast(NeededTogether.Plan plan) {
            return limiter instanceof CombinedLimiter all
                    ? all.forecast(plan::ofLimiter)
                    : limiter.forecast(plan.nowNanos());
        }

        @Override
        public RateLimitedException refusal(long waitNanos) {
            return limiter.refusal(permits, waitNanos);
        }

        @Override
        public String toString() {
            return permits + " of \"" + name() + "\"";
        }
    }

    /** Of a key. Its limiter counts calls that do not wait by itself. */
    record OfKey<K>(KeyedRateLimiter<K> limiter, K key, long permits) implements NeededPart {
        public OfKey {
            Require.nonNull("limiter", limiter);
            Require.nonNull("key", key);
            Require.range("permits", permits, 1, Long.MAX_VALUE);
        }

        @Override
        public String name() {
            return limiter.name();
        }

        @Override
        public long peek(long nowNanos) {
            if (limiter.availablePermits(key) >= permits) {
                return 0;
            }
            long wait = take(0);
            if (wait == 0) { // they have come meanwhile
                giveBack(0, 0);
            }
            return wait;
        }

        @Override
        public long take(long nowNanos) {
            return Math.min(Nanos.NEVER, limiter.tryAcquireOrWaitNanos(key, permits));
        }

        @Override
        public void giveBack(long nowNanos, long takenNanos) {
            limiter.settle(key, -permits);
        }

        @Override
        public void gaveBack() {} // settle has told them

        @Override
        public void counted(boolean isAdmitted) {}

        @Override
        public boolean isOfTheSame(NeededPart other) {
            return other instanceof OfKey<?> another
                    && another.limiter == (Object) limiter
                    && Objects.deepEquals(another.key, key);
        }

        @Override
        public Waitable waitable() {
            if (limiter instanceof KeyedTokenBuckets<K> buckets) {
                return new OfBucket(buckets.bucket(key), permits);
            }
            throw new IllegalStateException(
                    "limiter \"" + name() + "\" must be made by KeyedRateLimiter.of for a call that waits for it");
        }

        @Override
        public String toString() {
            return permits + " of a key of \"" + name() + "\"";
        }
    }

    /** Of the bucket of a key. */
    record OfBucket(KeyedTokenBuckets.Bucket bucket, long permits) implements Waitable {
        @Override
        public String name() {
            return bucket.name();
        }

        @Override
        public long peek(long nowNanos) {
            return bucket.peek(permits);
        }

        @Override
        public long take(long nowNanos) {
            return bucket.take(permits);
        }

        @Override
        public void giveBack(long nowNanos, long takenNanos) {
            bucket.giveBack(permits, nowNanos - takenNanos);
        }

        @Override
        public void gaveBack() {
            bucket.gaveBack();
        }

        @Override
        public void watch(WaitQueue queue, boolean begins) {
            bucket.watch(queue, begins);
        }

        @Override
        public void counted(boolean isAdmitted) {
            bucket.counted(isAdmitted);
        }

        @Override
        public boolean isOfTheSame(NeededPart other) {
            return other instanceof OfBucket another && another.bucket.isOfTheSame(bucket);
        }

        @Override
        public boolean isTooMuch() {
            return permits > bucket.burst();
        }

        @Override
        public Object planned() {
            return bucket.planned();
        }

        @Override
        public Forecast forecast(NeededTogether.Plan plan) {
            return bucket.forecast(plan.nowNanos());
        }

        @Override
        public RateLimitedException refusal(long waitNanos) {
            return bucket.refusal(permits, waitNanos);
        }

        @Override
        public String toString() {
            return permits + " of a key of \"" + name() + "\"";
        }
    }
}
