package dev.levee.ratelimit.concurrency;

/**
 * When CoDel drops: the state machine of RFC 8289, sections 5.3 to 5.6, asked for one waiter after the other.
 *
 * <p>The pseudocode of the RFC takes waiters out of the queue by itself. Here the queue asks {@link #drops} for the
 * waiter at its head; if the answer is yes, it drops it and asks for the next one, and the first that is not dropped
 * ends the round. So the two calls of {@code dodequeue} in one {@code dequeue} are two calls of {@code drops}, and
 * {@code step} says which of the two it is. Times are compared by difference, and a flag stands for the RFC's
 * {@code first_above_time_ == 0}.
 *
 * <p>Not thread-safe.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc8289">Nichols, Jacobson, McGregor, Iyengar: Controlled Delay Active
 *     Queue Management (RFC 8289, 2018)</a>
 */
final class ControlledDelay {
    /** How many intervals after the last drop the rate of that time is still a good one to begin with. */
    private static final int MAX_RESUMED_INTERVALS = 16;

    private enum Step {
        /** The next waiter that is asked for is the first of a round. */
        FIRST,
        /** The waiter before it was dropped, and with it dropping has begun: one is enough for now. */
        AFTER_BEGINNING,
        /** The waiter before it was dropped because it was time. */
        AFTER_DROP
    }

    private final long target;
    private final long interval;
    private Step step = Step.FIRST;

    /** Whether waits were above the target when the last waiter was asked for. */
    private boolean above;

    /** When they will have been above it for an interval. */
    private long firstAboveTime;

    private boolean dropping;
    private long dropNext;
    private int count;
    private int lastCount;

    ControlledDelay(long targetNanos, long intervalNanos) {
        this.target = targetNanos;
        this.interval = intervalNanos;
    }

    /**
     * Whether the waiter at the head is to be dropped.
     *
     * @param waited how long it has waited
     * @param left how many would be left behind it
     * @param now the time
     */
    boolean drops(long waited, int left, long now) {
        boolean okToDrop = isOkToDrop(waited, left, now);
        Step asked = step;
        step = Step.FIRST;
        if (asked == Step.AFTER_BEGINNING) {
            return false;
        }
        if (!dropping) {
            return okToDrop && begin(now);
        }
        if (!okToDrop) {
            dropping = false;
            return false;
        }
        if (asked == Step.AFTER_DROP) {
            dropNext = controlLaw(dropNext);
        }
        if (now - dropNext < 0) {
            return false;
        }
        count = count == Integer.MAX_VALUE ? count : count + 1;
        step = Step.AFTER_DROP;
        return true;
    }

    private boolean isOkToDrop(long waited, int left, long now) {
        if (waited < target || left <= 1) { // the RFC: not more than one packet left
            above = false;
            return false;
        }
        if (!above) {
            above = true;
            firstAboveTime = now + interval;
            return false;
        }
        return now - firstAboveTime >= 0;
    }

    private boolean begin(long now) {
        dropping = true;
        int delta = count - lastCount;
        count = delta > 1 && now - dropNext < MAX_RESUMED_INTERVALS * interval ? delta : 1;
        dropNext = controlLaw(now);
        lastCount = count;
        step = Step.AFTER_BEGINNING;
        return true;
    }

    /** Returns when to drop the next one. */
    private long controlLaw(long from) {
        return from + (long) (interval / Math.sqrt(count));
    }

    /** The queue is empty, so waits are below the target. */
    void emptied() {
        above = false;
        dropping = false;
        step = Step.FIRST;
    }

    /** Whether it drops at present, for tests. */
    boolean isDropping() {
        return dropping;
    }
}
