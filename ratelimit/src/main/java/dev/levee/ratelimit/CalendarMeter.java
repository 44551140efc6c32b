package dev.levee.ratelimit;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;

/**
 * Counts the permits of one period of the calendar.
 *
 * <p>The clock on the wall can be set. Ahead: the period that it shows begins. Back: the period that has begun goes on,
 * with what is left in it, until the clock comes to its end again; a period that was left is never entered again. The
 * calendar is asked once for each period in which there is a call, the clock at each call. See ADR 87.
 */
final class CalendarMeter implements Meter {
    private static final VarHandle PERIOD =
            Handles.field(MethodHandles.lookup(), CalendarMeter.class, "period", CountedPeriod.class);

    /** How many periods of a debt are counted one by one; those beyond by the mean length of one. */
    private static final int MAX_PERIODS_COUNTED = 1_000;

    private final long limit;
    private final ChronoUnit unit;
    private final ZoneId zone;
    private final WallTime time;
    private volatile CountedPeriod period;

    CalendarMeter(CalendarLimit limit, WallTime time, long nowNanos) {
        this.limit = limit.permits();
        this.unit = limit.unit();
        this.zone = limit.zone();
        this.time = time;
        this.period = new CountedPeriod(CalendarPeriod.of(time.millis(nowNanos), unit, zone), 0, false);
    }

    private CalendarMeter(CalendarMeter other, WallTime time, CountedPeriod period) {
        this.limit = other.limit;
        this.unit = other.unit;
        this.zone = other.zone;
        this.time = time;
        this.period = period;
    }

    private long millis(long nowNanos, CountedPeriod seen) {
        try {
            return Math.max(time.millis(nowNanos), seen.bounds.start());
        } catch (ArithmeticException beyondTheCalendar) {
            return seen.bounds.start(); // such a clock moves nothing
        }
    }

    /** Returns the period that counts at a moment; if it is a new one, begins it. */
    private CountedPeriod at(long nowNanos) {
        while (true) {
            CountedPeriod seen = period;
            if (seen.last) {
                return seen;
            }
            long millis = millis(nowNanos, seen);
            boolean ended = millis >= seen.bounds.end();
            if (!ended && seen.word() >= 0) {
                return seen;
            }
            // A thread whose clock is behind finds the count closed before its time, and goes on where others went.
            long ahead = ended ? seen.succeedBy(millis - seen.bounds.start()) : seen.successor();
            if (!hasNext(seen, ahead)) {
                return seen;
            }
        }
    }

    /** Goes on to the period of a moment after the start of one, unless there is none as the meter is being closed. */
    private boolean hasNext(CountedPeriod seen, long aheadMillis) {
        long used = seen.close();
        if (aheadMillis == SpanCount.NONE) {
            return false;
        }
        PERIOD.compareAndSet(this, seen, after(seen.bounds, used, seen.bounds.start() + aheadMillis));
        return true;
    }

    private static boolean isClosed(CountedPeriod seen) {
        return seen.last || (seen.word() < 0 && seen.successor() == SpanCount.NONE);
    }

    /** Returns the period of a moment, with what is left of a debt after those between. */
    private CountedPeriod after(CalendarPeriod ended, long used, long millis) {
        long debt = Math.max(0, used - limit);
        CalendarPeriod next = CalendarPeriod.of(ended.end(), unit, zone);
        for (int count = 0; debt > 0 && next.end() <= millis && count < MAX_PERIODS_COUNTED; count++) {
            debt = Math.max(0, debt - limit);
            next = CalendarPeriod.of(next.end(), unit, zone);
        }
        if (next.end() <= millis) {
            long periods = (millis - next.end()) / unit.getDuration().toMillis();
            debt = periods > debt / limit ? 0 : debt - periods * limit;
            next = CalendarPeriod.of(millis, unit, zone);
        }
        return new CountedPeriod(next, debt, false);
    }

    @Override
    public long take(long nowNanos, long permits) {
        while (true) {
            CountedPeriod seen = at(nowNanos);
            long used = seen.word();
            if (used < 0) {
                if (isClosed(seen)) {
                    return CLOSED;
                }
                continue;
            }
            if (used > limit - permits) {
                return waitNanos(nowNanos, seen, used, permits);
            }
            if (seen.replace(used, used + permits)) {
                return 0;
            }
        }
    }

    @Override
    public long waitNanos(long nowNanos, long permits) {
        CountedPeriod seen = at(nowNanos);
        long used = seen.used();
        return isClosed(seen) ? CLOSED : used > limit - permits ? waitNanos(nowNanos, seen, used, permits) : 0;
    }

    @Override
    public long lookAhead(long thenNanos, long permits) {
        CountedPeriod seen = period;
        if (isClosed(seen)) {
            return CLOSED;
        }
        long millis = millis(thenNanos, seen);
        CountedPeriod then = millis < seen.bounds.end() ? seen : after(seen.bounds, seen.used(), millis);
        long used = then.used();
        return used > limit - permits ? waitNanos(thenNanos, then, used, permits) : 0;
    }

    @Override
    public boolean isSameSpan(long plannedNanos, long nowNanos) {
        CountedPeriod seen = at(nowNanos);
        long passed = (nowNanos - plannedNanos) / WallTime.NANOS_PER_MILLI + 1; // the clock on the wall rounds down
        return rawMillis(nowNanos, seen) - passed >= seen.bounds.start();
    }

    private long waitNanos(long nowNanos, CountedPeriod seen, long used, long permits) {
        long periods = (used - (limit - permits) - 1) / limit;
        long end = seen.bounds.end();
        for (long count = 0; count < Math.min(periods, MAX_PERIODS_COUNTED); count++) {
            end = CalendarPeriod.of(end, unit, zone).end();
        }
        long uncounted = Math.max(0, periods - MAX_PERIODS_COUNTED);
        long millis = Math.max(1, end - rawMillis(nowNanos, seen));
        long nanos = millis > NEVER / WallTime.NANOS_PER_MILLI ? NEVER : millis * WallTime.NANOS_PER_MILLI;
        return Nanos.add(nanos, Nanos.multiply(Nanos.of(unit.getDuration()), (double) uncounted));
    }

    /** The clock as it is, also before the period, for waits: it must first come to the period. */
    private long rawMillis(long nowNanos, CountedPeriod seen) {
        try {
            return time.millis(nowNanos);
        } catch (ArithmeticException beyondTheCalendar) {
            return seen.bounds.start();
        }
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long permits) {
        CountedPeriod seen = at(nowNanos);
        long passed = Meter.since(takenNanos, nowNanos) / WallTime.NANOS_PER_MILLI;
        // As far as can be told: if the clock was set meanwhile, less is given back, but for what was taken just now.
        if (passed >= 0 && passed <= rawMillis(nowNanos, seen) - seen.bounds.start() && seen.used() <= limit) {
            seen.giveBack(permits);
        }
    }

    @Override
    public long refund(long nowNanos, long permits) {
        while (true) {
            CountedPeriod seen = at(nowNanos);
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
            CountedPeriod seen = at(nowNanos);
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
        return Math.max(0, limit - at(nowNanos).used());
    }

    @Override
    public long resetNanos(long nowNanos) {
        CountedPeriod seen = at(nowNanos);
        long used = seen.used();
        return used == 0 ? 0 : waitNanos(nowNanos, seen, used, limit);
    }

    @Override
    public Meter copy(long nowNanos) {
        CountedPeriod seen = at(nowNanos);
        long millis = rawMillis(nowNanos, seen);
        return new CalendarMeter(
                this, WallTime.goingOnFrom(millis, nowNanos), new CountedPeriod(seen.bounds, seen.used(), false));
    }

    @Override
    public long close(long nowNanos) {
        while (true) {
            CountedPeriod seen = at(nowNanos);
            if (seen.last) {
                return seen.used();
            }
            long ahead = seen.succeedBy(SpanCount.NONE);
            if (!hasNext(seen, ahead)) {
                CountedPeriod end = new CountedPeriod(seen.bounds, seen.used(), true);
                end.close();
                PERIOD.compareAndSet(this, seen, end);
            }
        }
    }

    /** The permits of one period. */
    private static final class CountedPeriod extends SpanCount {
        private final CalendarPeriod bounds;

        /** Whether no period follows, because the meter was closed. */
        private final boolean last;

        CountedPeriod(CalendarPeriod bounds, long used, boolean last) {
            super(used);
            this.bounds = bounds;
            this.last = last;
        }
    }
}
