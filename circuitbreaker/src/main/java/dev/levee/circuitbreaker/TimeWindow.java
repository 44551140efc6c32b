package dev.levee.circuitbreaker;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A window of the calls that ended within a time, in a ring of buckets.
 *
 * <pre>{@code
 *                   window
 *          <-------------------------->
 * ticks ... | 17 | 18 | 19 | ... | 66 |        tick = (time - origin) / width, the bucket of a time
 *           oldest that counts    newest       each in one word of a TickCounter, at tick mod ring length
 * }</pre>
 *
 * <p><b>Invariants.</b> No outcome older than the window counts; each is dropped together with its bucket, hence at
 * most one bucket early. Nothing is moved as time passes: every counter carries the number of its bucket and starts
 * anew for another one, which is why a pause of any length costs nothing. {@code newest} moves before any counter of
 * that bucket does, so that a sum between two equal readings of it is of one window. Calls are counted by stripes as
 * soon as threads contend for a counter; failures and slow calls, which are rare in a breaker that stays closed, are
 * not. A call is counted before its failure, and sums are taken the other way round, so that a sum taken between the
 * two is never too bad.
 *
 * <p>In effect the limits are compared whenever a call is recorded. In fact a success can only bring the rates over the
 * limit if it is the one that reaches the minimum number of calls, or if buckets were dropped since the last
 * comparison; so most successes need no comparison. See ADR 18.
 */
final class TimeWindow extends Window {
    private static final int MAX_BUCKETS = 64;
    private static final int MAX_STRIPES =
            Math.min(8, 2 * Integer.highestOneBit(Runtime.getRuntime().availableProcessors()));
    private static final VarHandle NEWEST = Handles.field(MethodHandles.lookup(), "newest", long.class);
    private static final VarHandle CALLS = Handles.field(MethodHandles.lookup(), "calls", TickCounter[].class);

    private final long origin;
    private final long width;
    private final int buckets;
    private final TickCounter failures;
    private final TickCounter slow;
    private volatile TickCounter[] calls;

    /** The latest bucket with a call. Moves before any counter of that bucket does. */
    private volatile long newest;

    /** The last bucket in which a success is known not to bring the rates over the limits. */
    private volatile long cleared = Long.MIN_VALUE;

    TimeWindow(long windowNanos, long nowNanos) {
        this.origin = nowNanos;
        this.width = width(windowNanos);
        this.buckets = (int) (windowNanos / width);
        this.failures = new TickCounter(buckets);
        this.slow = new TickCounter(buckets);
        this.calls = new TickCounter[] {new TickCounter(buckets)};
    }

    /** Returns the smallest of 1, 2, 5, 10, 20, 50, ... nanoseconds that divides the window into few enough buckets. */
    static long width(long windowNanos) {
        long decade = 1;
        while (windowNanos / decade > 10L * MAX_BUCKETS) {
            decade *= 10;
        }
        for (long step : new long[] {1, 2, 5}) {
            if (windowNanos / (decade * step) <= MAX_BUCKETS) {
                return decade * step;
            }
        }
        return decade * 10;
    }

    @Override
    @Nullable Counts record(int outcome, long endNanos, Thresholds limits) {
        long tick = advance(endNanos);
        if (newest - tick >= buckets) {
            return null; // it ended before the window begins
        }
        countCall(tick);
        if (outcome == 0 && cleared == tick) {
            return null;
        }
        if ((outcome & FAILED) != 0) {
            failures.add(tick);
        }
        if ((outcome & SLOW) != 0) {
            slow.add(tick);
        }
        return limits == Thresholds.NONE ? null : judge(outcome, limits);
    }

    /** Returns the bucket of a time, and makes it the newest one if it is later than all. */
    private long advance(long nanos) {
        long seen = newest;
        long into = nanos - (origin + seen * width);
        if (into >= 0 && into < width) {
            return seen; // nearly always, and saves a division
        }
        long tick = tick(nanos);
        while (tick > seen && !NEWEST.compareAndSet(this, seen, tick)) {
            seen = newest;
        }
        return tick;
    }

    private long tick(long nanos) {
        return Math.floorDiv(nanos - origin, width);
    }

    private void countCall(long tick) {
        while (true) {
            TickCounter[] stripes = calls;
            int stripe = stripes.length == 1 ? 0 : (int) Thread.currentThread().getId() & stripes.length - 1;
            if (stripes[stripe].tryAdd(tick)) {
                return;
            }
            if (stripes.length < MAX_STRIPES) {
                grow(stripes);
            }
        }
    }

    private void grow(TickCounter[] stripes) {
        TickCounter[] more = Arrays.copyOf(stripes, 2 * stripes.length);
        for (int i = stripes.length; i < more.length; i++) {
            more[i] = new TickCounter(buckets);
        }
        CALLS.compareAndSet(this, stripes, more); // if it fails, another thread has grown them
    }

    private @Nullable Counts judge(int outcome, Thresholds limits) {
        while (true) {
            long tick = newest;
            long failed = failures.sum(tick);
            long slowed = slow.sum(tick);
            if (outcome != 0 && limits.clearedBy(failed, slowed)) {
                return null;
            }
            long all = calls(tick);
            if (tick != newest) {
                continue; // counters may have been started anew during the sums
            }
            if (all < limits.minCalls) {
                return null;
            }
            if (limits.exceededBy(all, failed, slowed)) {
                return new Counts(all, failed, slowed);
            }
            // Holds whatever else is recorded in this bucket: failures compare for themselves.
            cleared = tick;
            return null;
        }
    }

    @Override
    @Nullable Counts judge(long nowNanos, Thresholds limits) {
        cleared = Long.MIN_VALUE; // it was found by other limits
        return super.judge(nowNanos, limits);
    }

    private long calls(long tick) {
        long sum = 0;
        for (TickCounter stripe : calls) {
            sum += stripe.sum(tick);
        }
        return sum;
    }

    @Override
    Counts tally(long nowNanos) {
        while (true) {
            long seen = newest;
            long tick = Math.max(seen, tick(nowNanos));
            long failed = failures.sum(tick);
            long slowed = slow.sum(tick);
            Counts tally = new Counts(calls(tick), failed, slowed);
            if (seen == newest) {
                return tally;
            }
        }
    }
}
