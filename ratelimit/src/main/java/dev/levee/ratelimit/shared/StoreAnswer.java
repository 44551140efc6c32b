package dev.levee.ratelimit.shared;

/**
 * What the store has said last of one key, and what follows from it for a time. Immutable.
 *
 * @param isKnown whether it has said anything
 * @param remaining how many permits were left
 * @param resetNanos after which time the limit would have been unused
 * @param atNanos when it was said, by the clock of the process
 */
record StoreAnswer(boolean isKnown, long remaining, long resetNanos, long atNanos) {
    static final StoreAnswer NONE = new StoreAnswer(false, 0, 0, 0);

    /** Returns how many permits it has, as far as is known; all of them if nothing is known. */
    long remaining(SharedPlan plan, long nowNanos) {
        long capacity = plan.terms.limit().capacity();
        double since = plan.permitsIn(Math.max(0, nowNanos - atNanos));
        return isKnown ? (long) Math.min((double) capacity, remaining + since) : capacity;
    }

    /** Returns after which time it could have given so many permits together; 0 if nothing is known. */
    long nanosUntil(SharedPlan plan, double permits, long nowNanos) {
        return plan.nanosUntil(permits, remaining(plan, nowNanos), resetNanos(nowNanos));
    }

    /** Returns for how long a call is refused that the store has denied for a time: more was taken since, perhaps. */
    long waitNanos(SharedPlan plan, long deniedNanos, long permits, long nowNanos) {
        return deniedNanos <= 0 ? deniedNanos : Math.max(deniedNanos, nanosUntil(plan, (double) permits, nowNanos));
    }

    /** Returns when the limit would be unused. */
    long resetNanos(long nowNanos) {
        return isKnown ? Math.max(0, resetNanos - Math.max(0, nowNanos - atNanos)) : 0;
    }
}
