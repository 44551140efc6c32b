package dev.levee.ratelimit.shared;

/**
 * What the store has said about permits that are not there: from how many on, and until when. Immutable.
 *
 * @param permits calls that need as many, or more, are refused
 * @param untilNanos a reading of the clock
 */
record QuotaDenial(long permits, long untilNanos) {
    /** Returns for how long a call is refused; 0 or less if it is not. */
    long waitNanos(SharedPlan plan, long needed, long nowNanos) {
        long left = untilNanos - nowNanos;
        if (needed < permits || left <= 0) {
            return 0;
        }
        return needed == permits ? left : left + plan.nanosFor((double) needed - permits);
    }
}
