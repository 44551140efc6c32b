package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.PaddedLong;

/**
 * Counts the permits of one window, in one word.
 *
 * <p>A limit has at most one permit for each nanosecond of its window, so a permit can be a nanosecond: the first one
 * taken in a window is its first nanosecond, and the word is the end of those that are taken. What the word says
 * follows from its difference to the start of the window that a time lies in: not more than 0, nothing is taken; else
 * that many permits. There is no number of the window that could repeat itself, and no second word.
 *
 * <pre>{@code
 *        start              word                             start + length
 * ---------|##################|-----------------------|--------------|--- ... ---
 *          |<-- taken ------->|                       |
 *          |<-- limit ------------------------------->|
 * }</pre>
 *
 * <p>Permits beyond the limit, which only {@link #charge} takes, lie in the windows that follow, and are taken there
 * when those begin. See ADR 87.
 */
final class FixedWindowMeter implements Meter {
    /** How far ahead the word can be; everything beyond is the past. A debt that is larger is cut off there. */
    private static final long MAX_AHEAD_NANOS = (1L << FUTURE_BITS) - 1;

    private final long limit;
    private final long length;
    private final PaddedLong word;

    /**
     * The word of a meter that was closed: half a circle, 292 years, after the meter was made. A word that would come
     * out so then is one higher, which is only stricter.
     */
    private final long closedWord;

    /** A start of a window, from which others are counted: any will do, but for those too far off. */
    private volatile long base;

    /** What was taken when the meter was closed. */
    private volatile long takenAtClose;

    FixedWindowMeter(FixedWindowLimit limit, long nowNanos) {
        this(limit.permits(), Nanos.of(limit.per()), nowNanos, nowNanos, nowNanos + Long.MIN_VALUE);
    }

    private FixedWindowMeter(long limit, long length, long base, long word, long closedWord) {
        this.limit = limit;
        this.length = length;
        this.base = base;
        this.word = new PaddedLong(word);
        this.closedWord = closedWord;
    }

    private long open(long word, long taken) {
        if (word == closedWord) {
            return taken == 0 ? word - 1 : word + 1;
        }
        return word;
    }

    private long start(long nowNanos) {
        long elapsed = nowNanos - base;
        long start = nowNanos - Math.floorMod(elapsed, length);
        if (elapsed > MAX_AHEAD_NANOS / 2) {
            base = start; // before the distance wraps
        }
        return start;
    }

    /** Returns how many permits a word says are taken in the window that begins at a time, and those after it. */
    private long taken(long seen, long start) {
        long ahead = Meter.ahead(seen, start);
        return ahead < length ? ahead : ahead / length * limit + Math.min(limit, ahead % length);
    }

    /** The inverse of {@link #taken}; what is further ahead than the circle allows stays there. */
    private long word(long taken, long start) {
        if (taken <= limit) {
            return open(start + taken, taken);
        }
        long windows = taken / limit;
        boolean isTooFar = windows > (MAX_AHEAD_NANOS - limit) / length;
        return open(start + (isTooFar ? MAX_AHEAD_NANOS : windows * length + taken % limit), taken);
    }

    @Override
    public long take(long nowNanos, long permits) {
        long start = start(nowNanos);
        long seen = word.get();
        while (seen != closedWord) {
            long taken = taken(seen, start);
            if (taken > limit - permits) {
                return waitNanos(nowNanos, start, taken, permits);
            }
            long found = word.compareAndExchange(seen, word(taken + permits, start));
            if (found == seen) {
                return 0;
            }
            seen = found;
        }
        return CLOSED;
    }

    private long waitNanos(long nowNanos, long start, long taken, long permits) {
        // Whole windows that must pass until no more than limit - permits are left of what is taken.
        long windows = (taken - (limit - permits) - 1) / limit + 1;
        return windows > NEVER / length ? NEVER : windows * length - (nowNanos - start);
    }

    @Override
    public long waitNanos(long nowNanos, long permits) {
        long seen = word.get();
        if (seen == closedWord) {
            return CLOSED;
        }
        long start = start(nowNanos);
        long taken = taken(seen, start);
        return taken > limit - permits ? waitNanos(nowNanos, start, taken, permits) : 0;
    }

    @Override
    public boolean isSameSpan(long plannedNanos, long nowNanos) {
        return plannedNanos - start(nowNanos) >= 0;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long permits) {
        long start = start(nowNanos);
        if (takenNanos - start < 0 || !Meter.isWithin(length, takenNanos, nowNanos)) {
            return; // what is left of an earlier window is nothing
        }
        long seen = word.get();
        while (seen != closedWord) {
            long taken = taken(seen, start);
            if (taken == 0 || taken > limit) {
                return; // the window may be over already, and the word that of a later one
            }
            long found = word.compareAndExchange(seen, word(Math.max(0, taken - permits), start));
            if (found == seen) {
                return;
            }
            seen = found;
        }
    }

    @Override
    public long refund(long nowNanos, long permits) {
        long start = start(nowNanos);
        long seen = word.get();
        while (seen != closedWord) {
            long taken = taken(seen, start);
            long found = taken == 0 ? seen : word.compareAndExchange(seen, word(Math.max(0, taken - permits), start));
            if (found == seen) {
                return 0;
            }
            seen = found;
        }
        return CLOSED;
    }

    @Override
    public long charge(long nowNanos, long permits, long most) {
        long start = start(nowNanos);
        long seen = word.get();
        while (seen != closedWord) {
            long taken = taken(seen, start);
            long sum = taken + Math.min(permits, Math.max(0, most - taken));
            long found = word.compareAndExchange(seen, word(sum, start));
            if (found == seen) {
                return 0;
            }
            seen = found;
        }
        return CLOSED;
    }

    private long takenNow(long nowNanos) {
        long seen = word.get();
        return seen == closedWord ? takenAtClose : taken(seen, start(nowNanos));
    }

    @Override
    public long available(long nowNanos) {
        return Math.max(0, limit - takenNow(nowNanos));
    }

    @Override
    public long resetNanos(long nowNanos) {
        long taken = takenNow(nowNanos);
        return taken == 0 ? 0 : waitNanos(nowNanos, start(nowNanos), taken, limit);
    }

    @Override
    public Meter copy(long nowNanos) {
        return new FixedWindowMeter(limit, length, base, word.get(), closedWord);
    }

    @Override
    public long close(long nowNanos) {
        long start = start(nowNanos);
        long seen = word.get();
        while (seen != closedWord) {
            takenAtClose = taken(seen, start);
            long found = word.compareAndExchange(seen, closedWord);
            if (found == seen) {
                break;
            }
            seen = found;
        }
        return takenAtClose;
    }
}
