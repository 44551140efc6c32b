package dev.levee.ratelimit;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Counts permits by windows, and looks at the last window in proportion to how much of it still lies within one window
 * before now: with {@code e} elapsed of a window of {@code W}, {@code n} permits are there if
 *
 * <pre>{@code
 * previous * (1 - e / W) + current + n <= limit
 * }</pre>
 *
 * <p>Julien Desgats, "How we built rate limiting capable of scaling to millions of domains", Cloudflare, 2017. The
 * comparison is exact: in whole numbers, of as many bits as it needs.
 *
 * <p>The windows are objects, one for each window in which there was a call; within it a call is one compare-and-set
 * and allocates nothing. Not one word for both numbers and the window: with 20 bits for each number 24 would be left
 * for the window, which repeats itself after some months without a call. A window that has ended is closed before the
 * next one begins with its count, so no permit is lost between them, and none is counted twice. See ADR 87.
 */
final class SlidingWindowMeter implements Meter {
    private static final VarHandle WINDOW =
            Handles.field(MethodHandles.lookup(), SlidingWindowMeter.class, "window", CountedWindow.class);

    private final long limit;
    private final long length;
    private volatile CountedWindow window;

    SlidingWindowMeter(SlidingWindowLimit limit, long nowNanos) {
        this(limit.permits(), Nanos.of(limit.per()), new CountedWindow(nowNanos, 0, 0, false));
    }

    private SlidingWindowMeter(long limit, long length, CountedWindow window) {
        this.limit = limit;
        this.length = length;
        this.window = window;
    }

    @Override
    public long take(long nowNanos, long permits) {
        while (true) {
            CountedWindow seen = at(nowNanos);
            long used = seen.word();
            if (used < 0) {
                if (isClosed(seen)) {
                    return CLOSED;
                }
                continue; // it has ended meanwhile
            }
            long left = left(seen, nowNanos);
            if (!fits(seen.previous, left, used, permits)) {
                return waitNanos(seen.previous, used, left, permits);
            }
            if (seen.replace(used, used + permits)) {
                return 0;
            }
        }
    }

    /**
     * Returns how much of a window is left; nothing of one that has ended, as the last one of a closed meter may have.
     */
    private long left(CountedWindow seen, long nowNanos) {
        long elapsed = Meter.since(seen.start, nowNanos);
        return Long.compareUnsigned(elapsed, length) < 0 ? length - elapsed : 0;
    }

    private static boolean isClosed(CountedWindow seen) {
        return seen.last || (seen.word() < 0 && seen.successor() == SpanCount.NONE);
    }

    /** Whether permits fit into a window of which some time is left. */
    private boolean fits(long previous, long left, long used, long permits) {
        long room = limit - used - permits;
        return room >= 0 && (previous <= room || Ratio.isAtMost(previous, left, room, length));
    }

    @Override
    public long waitNanos(long nowNanos, long permits) {
        CountedWindow seen = at(nowNanos);
        if (isClosed(seen)) {
            return CLOSED;
        }
        long left = left(seen, nowNanos);
        long used = seen.used();
        return fits(seen.previous, left, used, permits) ? 0 : waitNanos(seen.previous, used, left, permits);
    }

    @Override
    public boolean isSameSpan(long plannedNanos, long nowNanos) {
        return plannedNanos - at(nowNanos).start >= 0;
    }

    @Override
    public long lookAhead(long thenNanos, long permits) {
        CountedWindow seen = window;
        if (isClosed(seen)) {
            return CLOSED;
        }
        long elapsed = Meter.since(seen.start, thenNanos);
        long turns = turns(elapsed);
        long used = seen.used();
        long left = length - (turns == 0 ? elapsed : thenNanos - (seen.start + turns * length));
        long previous = turns == 0 ? seen.previous : previousAfter(used, turns);
        long current = turns == 0 ? used : currentAfter(used, turns);
        return fits(previous, left, current, permits) ? 0 : waitNanos(previous, current, left, permits);
    }

    /** Looks for the first moment at which permits fit, window by window; all windows of a debt in one step. */
    private long waitNanos(long previous, long used, long left, long permits) {
        long wait = 0;
        long before = previous;
        long current = used;
        long rest = left;
        while (true) {
            long room = limit - current - permits;
            // The last moment of the window at which it is still too early, counted back from its end.
            long inTime = room < 0 ? 0 : before <= room ? length : Ratio.floor(room, length, before);
            if (inTime > 0) {
                return Nanos.add(wait, Math.max(0, rest - inTime));
            }
            long turns = room < 0 ? Math.max(1, (current - limit) / limit) : 1;
            wait = Nanos.add(wait, Nanos.add(rest, saturated(turns - 1)));
            before = previousAfter(current, turns);
            current = currentAfter(current, turns);
            rest = length;
            if (wait == NEVER) {
                return NEVER;
            }
        }
    }

    private long saturated(long windows) {
        return windows > NEVER / length ? NEVER : windows * length;
    }

    /** What counts as taken in the window before, after some turns: what a window has is paid, the rest is carried. */
    private long previousAfter(long used, long turns) {
        return Math.min(limit, turns - 1 > used / limit ? 0 : used - (turns - 1) * limit);
    }

    private long currentAfter(long used, long turns) {
        return turns > used / limit ? 0 : used - turns * limit;
    }

    /** Returns the window of a time; if it is a new one, begins it. */
    private CountedWindow at(long nowNanos) {
        while (true) {
            CountedWindow seen = window;
            if (seen.last) {
                return seen;
            }
            long elapsed = Meter.since(seen.start, nowNanos);
            boolean ended = Long.compareUnsigned(elapsed, length) >= 0;
            if (!ended && seen.word() >= 0) {
                return seen;
            }
            // A thread that is late finds the count closed before its time has come, and goes on where others went.
            long turns = ended ? seen.succeedBy(turns(elapsed)) : seen.successor();
            if (!hasNext(seen, turns)) {
                return seen;
            }
        }
    }

    private long turns(long elapsed) {
        long turns = Long.divideUnsigned(elapsed, length);
        return turns < 0 ? Long.MAX_VALUE / length : turns;
    }

    /** Goes on to the next window, unless there is none because the meter is being closed. */
    private boolean hasNext(CountedWindow seen, long turns) {
        long used = seen.close();
        if (turns == SpanCount.NONE) {
            return false;
        }
        CountedWindow next = new CountedWindow(
                seen.start + turns * length, previousAfter(used, turns), currentAfter(used, turns), false);
        WINDOW.compareAndSet(this, seen, next);
        return true;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long permits) {
        CountedWindow seen = at(nowNanos);
        // What was taken in an earlier window has become part of a sum that fades by itself.
        if (takenNanos - seen.start >= 0 && Meter.isWithin(length, takenNanos, nowNanos)) {
            seen.giveBack(permits);
        }
    }

    @Override
    public long refund(long nowNanos, long permits) {
        while (true) {
            CountedWindow seen = at(nowNanos);
            if (seen.giveBack(permits)) {
                return 0;
            }
            if (isClosed(seen)) {
                return CLOSED;
            }
        }
    }

    @Override
    public long charge(long nowNanos, long permits, long most) {
        while (true) {
            CountedWindow seen = at(nowNanos);
            if (seen.charge(permits, most)) {
                return 0;
            }
            if (isClosed(seen)) {
                return CLOSED;
            }
        }
    }

    @Override
    public long available(long nowNanos) {
        return Math.max(0, limit - taken(at(nowNanos), nowNanos));
    }

    private long taken(CountedWindow seen, long nowNanos) {
        if (seen.last) {
            return seen.used();
        }
        long left = left(seen, nowNanos);
        long sum = seen.used() + Ratio.ceiling(seen.previous, left, length);
        return sum < 0 ? Long.MAX_VALUE : sum;
    }

    @Override
    public long resetNanos(long nowNanos) {
        CountedWindow seen = at(nowNanos);
        long used = seen.used();
        if (used == 0 && seen.previous == 0) {
            return 0;
        }
        long left = left(seen, nowNanos);
        long turns = used / limit + (used % limit == 0 ? 0 : 1);
        return Nanos.add(left, saturated(turns));
    }

    @Override
    public Meter copy(long nowNanos) {
        CountedWindow seen = at(nowNanos);
        return new SlidingWindowMeter(limit, length, new CountedWindow(seen.start, seen.previous, seen.used(), false));
    }

    @Override
    public long close(long nowNanos) {
        while (true) {
            CountedWindow seen = at(nowNanos);
            if (seen.last) {
                return seen.used();
            }
            long turns = seen.succeedBy(SpanCount.NONE);
            if (!hasNext(seen, turns)) {
                CountedWindow end = new CountedWindow(seen.start, 0, taken(seen, nowNanos), true);
                end.close();
                WINDOW.compareAndSet(this, seen, end);
            }
        }
    }

    /** The permits of one window, and those of the window before. */
    private static final class CountedWindow extends SpanCount {
        private final long start;
        private final long previous;

        /** Whether no window follows, because the meter was closed. */
        private final boolean last;

        CountedWindow(long start, long previous, long used, boolean last) {
            super(used);
            this.start = start;
            this.previous = previous;
            this.last = last;
        }
    }
}
