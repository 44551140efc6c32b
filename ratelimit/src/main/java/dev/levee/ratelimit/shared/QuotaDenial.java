package dev.levee.ratelimit.shared;

import org.jspecify.annotations.Nullable;

/**
 * What the store has said about permits that are not there: from how many on, and until when. Immutable.
 *
 * @param permits calls that need as many, or more, are refused
 * @param untilNanos a reading of the clock
 */
record QuotaDenial(long permits, long untilNanos) {
    private static final int PARTS_OF_LIFE = 4;

    /** Returns for how long a call is refused; 0 or less if it is not. */
    long waitNanos(SharedPlan plan, long needed, long nowNanos) {
        long left = untilNanos - nowNanos;
        if (needed < permits || left <= 0) {
            return 0;
        }
        return needed == permits ? left : left + plan.nanosFor((double) needed - permits);
    }

    /** Returns this, unless the store has as many permits now: some came back. */
    QuotaDenial unless(long remaining, long nowNanos) {
        return remaining < permits ? this : new QuotaDenial(Long.MAX_VALUE, nowNanos);
    }

    /**
     * Finds from when on it makes sense to ask again.
     *
     * @param needed the smallest number of permits that was asked for
     * @param unserved the smallest number of permits that a call asked for and did not get; 0 if all did
     * @param held how many permits can be used without asking
     * @return null for at once
     */
    static @Nullable QuotaDenial of(
            SharedPlan plan, QuotaGrant grant, long needed, long unserved, long held, long now) {
        long remaining = grant.remaining();
        long wait = 0;
        long from = unserved;
        if (grant.permits() == 0 && needed > 0 && grant.waitNanos() > 0) {
            from = needed;
            wait = grant.waitNanos();
        } else if (unserved > 0) {
            wait = Math.max(1, plan.nanosUntil((double) unserved, remaining, grant.resetNanos()));
        } else if (remaining < 1 && needed > 0 && held == 0) {
            from = 1;
            wait = Math.max(1, plan.nanosUntil(1, remaining, grant.resetNanos()));
        }
        if (wait <= 0) {
            return null;
        }
        long life = plan.terms.lifeNanos();
        if (life > 0 && remaining < grant.sharers()) { // leaves to each of the others as much as this one has got
            long turn = plan.nanosFor((double) grant.sharers() * Math.max(1, grant.permits()));
            wait = Math.max(wait, Math.min(life / PARTS_OF_LIFE, turn));
        }
        return new QuotaDenial(from, now + wait);
    }

    /**
     * The same where permits are counted locally.
     *
     * @param needed the smallest number of permits that a call waits for, from 1
     * @param left how many can be used, without asking or after it
     */
    static @Nullable QuotaDenial ofRelaxed(SharedPlan plan, long needed, long left, long now) {
        return left >= needed ? null : new QuotaDenial(needed, now + plan.nanosFor((double) needed - left));
    }
}
