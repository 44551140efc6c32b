package dev.levee.ratelimit.shared;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What is decided about one key without the store: in an outage, and while processes contradict each other. */
final class QuotaOutage {
    private static final long CONFLICT_PAUSE_NANOS = 1_000_000_000;

    private final SharedScope scope;

    /** When the store is asked again about a conflict. */
    private final AtomicLong nextTry;

    private volatile boolean isInConflict;

    /** What is admitted in this outage; null if nothing was. Written under the lock of the quota. */
    private volatile @Nullable OutageShare share;

    QuotaOutage(SharedScope scope, long nowNanos) {
        this.scope = scope;
        nextTry = new AtomicLong(nowNanos);
    }

    /** Whether the store decides nothing now. */
    boolean isOn() {
        return isInConflict || scope.link.isOut();
    }

    /** Whether the store has to be asked again about a conflict: true for one call. */
    boolean isToAsk(long nowNanos) {
        long next = nextTry.get();
        return isInConflict && nowNanos - next >= 0 && nextTry.compareAndSet(next, nowNanos + CONFLICT_PAUSE_NANOS);
    }

    @Nullable OutageShare share() {
        return share;
    }

    /** Makes the share of this outage, from what the store had left; under the lock. */
    OutageShare begin(long remaining) {
        OutageShare made = share;
        if (made == null) {
            made = new OutageShare(
                    scope.name, scope.config.onOutage(), scope.plan().limit, remaining, scope.environment);
            share = made;
        }
        return made;
    }

    /** Returns what has to be charged, once the outage is over; 0 if it is not. Under the lock. */
    long end() {
        OutageShare over = share;
        if (over == null || isOn()) {
            return 0;
        }
        share = null;
        return over.owed();
    }

    /** Returns for how long a call is refused by a policy that admits nothing. */
    long closedNanos(long nowNanos) {
        return scope.link.isOut() ? scope.link.outageNanos(nowNanos) : Math.max(1, nextTry.get() - nowNanos);
    }

    /** Notes whether the store has told of a conflict; under the lock. */
    void conflict(boolean isTold, @Nullable QuotaTerms other, long nowNanos) {
        if (isTold) {
            isInConflict = true;
            nextTry.set(nowNanos + CONFLICT_PAUSE_NANOS);
            scope.conflict(scope.plan().terms, other);
        } else if (isInConflict) {
            isInConflict = false;
            scope.conflictEnded();
        }
    }
}
