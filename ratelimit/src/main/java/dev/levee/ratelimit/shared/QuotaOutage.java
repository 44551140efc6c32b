package dev.levee.ratelimit.shared;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What is decided about one key without the store: in an outage, while processes contradict each other, and while the
 * store has something for it that cannot be used. See ADR 187.
 */
final class QuotaOutage {
    private static final long RETRY_PAUSE_NANOS = 1_000_000_000;

    private final SharedScope scope;

    /** When the store is asked again, if it has decided nothing. */
    private final AtomicLong nextTry;

    /** Whether the store was asked and has decided nothing: because of a conflict, or of {@link #failure}. */
    private volatile boolean isUndecided;

    /** Why the store cannot decide about this key. */
    private volatile @Nullable RuntimeException failure;

    /** What is admitted in this outage; null if nothing was. Written under the lock of the quota. */
    private volatile @Nullable OutageShare share;

    QuotaOutage(SharedScope scope, long nowNanos) {
        this.scope = scope;
        nextTry = new AtomicLong(nowNanos);
    }

    /** Whether the store decides nothing now. */
    boolean isOn() {
        return isUndecided || scope.link.isOut();
    }

    /** Whether the store has to be asked again, which has decided nothing: true for one call. */
    boolean isToAsk(long nowNanos) {
        long next = nextTry.get();
        return isUndecided && nowNanos - next >= 0 && nextTry.compareAndSet(next, nowNanos + RETRY_PAUSE_NANOS);
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

    /** Returns why the store cannot decide about this key; null if it can, as far as is known. */
    @Nullable RuntimeException failure() {
        return failure;
    }

    /** Takes from an answer whether the store has decided; under the lock. */
    void told(String key, QuotaGrant grant, long nowNanos) {
        RuntimeException why = grant.failure();
        boolean decidedNothing = why != null || grant.conflict();
        if (decidedNothing) {
            nextTry.set(nowNanos + RETRY_PAUSE_NANOS);
        }
        if (why != null) {
            scope.failed(key, why);
        } else if (failure != null) {
            scope.failureEnded(key);
        }
        if (grant.conflict()) {
            scope.conflict(scope.plan().terms, grant.other());
        } else if (isUndecided && failure == null && why == null) {
            scope.conflictEnded();
        }
        failure = why;
        isUndecided = decidedNothing;
    }
}
