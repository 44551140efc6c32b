package dev.levee.ratelimit;

/**
 * What a call needs that may wait for it: permits of one limiter, or of several together. The methods that a
 * {@link WaitQueue} calls run under its lock, and run no code of users.
 */
interface Need {
    /** Takes all or nothing. Returns 0, or how long it would have to wait, or {@link RateLimiter#NEVER}. */
    long take(long nowNanos);

    /** Returns what {@link #take} would return, and takes nothing. */
    long peek(long nowNanos);

    /** Whether it is more than there ever is. */
    boolean isTooMuch();

    /** Returns when it could be taken at the earliest by a plan, see {@link Forecast#earliest}. */
    long earliest(Forecast plan, long fromNanos);

    /** Takes it in a plan. */
    void plan(Forecast plan, long atNanos);

    /** Whether it was taken now in the same span of time as by the plan, see {@link Meter#isSameSpan}. */
    boolean isSameSpan(long plannedNanos, long nowNanos);

    /**
     * Has a queue told of what changes at the limiters from outside, or no longer; under its lock. Called before the
     * queue asks for permits, and once more with {@code false} when the call does not wait there any more.
     */
    void watch(WaitQueue queue, boolean begins);

    /**
     * Returns whether the last {@link #take} has taken some permits and given them back, since it was asked last: then
     * others may have been refused for that, and are to be told ({@link #gaveBack}).
     */
    boolean hasTakenInPart();

    /** Gives back what was taken, and is not used. */
    void giveBack(long nowNanos, long takenNanos);

    /** Serves those that wait elsewhere for a limiter to which something was given back. Not under a lock. */
    void gaveBack();

    /** Counts a call that was admitted or refused, and publishes a refusal. Not under a lock. */
    void counted(boolean isAdmitted);

    /** Returns the refusal of a call that would have to wait for so long. Not under a lock. */
    RateLimitedException refusal(long waitNanos);

    /** Permits of one limiter. */
    record OfOne(AbstractLimiter limiter, long permits) implements Need {
        @Override
        public long take(long nowNanos) {
            return limiter.take(nowNanos, permits);
        }

        @Override
        public long peek(long nowNanos) {
            return limiter.peek(nowNanos, permits);
        }

        @Override
        public boolean isTooMuch() {
            return permits > limiter.capacity();
        }

        @Override
        public long earliest(Forecast plan, long fromNanos) {
            return plan.earliest(fromNanos, permits);
        }

        @Override
        public void plan(Forecast plan, long atNanos) {
            plan.take(atNanos, permits);
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
        public boolean hasTakenInPart() {
            return limiter.hasTakenInPart();
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
        public void counted(boolean isAdmitted) {
            limiter.countWaited(isAdmitted);
        }

        @Override
        public RateLimitedException refusal(long waitNanos) {
            return limiter.refusal(permits, waitNanos);
        }
    }
}
