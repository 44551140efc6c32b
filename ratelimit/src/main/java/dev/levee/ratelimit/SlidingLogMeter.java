package dev.levee.ratelimit;

import dev.levee.core.internal.Nanos;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Remembers when permits were taken, and counts those of one window before now: exact, for each window wherever it
 * starts.
 *
 * <p>A ring of times and numbers, in the order of time; permits of one moment share an entry. It begins small and grows
 * to at most one entry for each permit of the limit. A reading that is older than one that was seen before counts as
 * that one, since what has dropped out of its window is not remembered. Everything is done under a lock that is held
 * for a few reads and writes, and by no code of the user.
 */
final class SlidingLogMeter implements Meter {
    private static final int FIRST_ENTRIES = 16;

    /** The number of windows over which a debt is spread; what is beyond them is all in the last. */
    static final int MAX_WINDOWS_OWED = 100;

    private final ReentrantLock lock = new ReentrantLock();
    private final long limit;
    private final long length;
    private long[] times;
    private long[] counts;
    private int first;
    private int size;
    private long taken;

    /** The latest reading that was seen, if there was one. */
    private long latest;

    private boolean started;
    private boolean closed;

    SlidingLogMeter(SlidingLogLimit limit) {
        this(limit.permits(), Nanos.of(limit.per()), new long[FIRST_ENTRIES], new long[FIRST_ENTRIES], 0, 0);
    }

    private SlidingLogMeter(long limit, long length, long[] times, long[] counts, int size, long taken) {
        this.limit = limit;
        this.length = length;
        this.times = times;
        this.counts = counts;
        this.size = size;
        this.taken = taken;
    }

    private int place(int index) {
        return (first + index) & (times.length - 1);
    }

    private long age(int index, long nowNanos) {
        return Meter.since(times[place(index)], nowNanos);
    }

    private void dropOld(long nowNanos) {
        latest = started && Meter.since(latest, nowNanos) == 0 ? latest : nowNanos;
        started = true;
        while (!closed && size > 0 && Long.compareUnsigned(age(0, latest), length) >= 0) {
            taken -= counts[first];
            first = place(1);
            size--;
        }
    }

    @Override
    public long take(long nowNanos, long permits) {
        lock.lock();
        try {
            long wait = untilThere(nowNanos, permits);
            if (wait == 0) {
                add(permits);
            }
            return wait;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long waitNanos(long nowNanos, long permits) {
        lock.lock();
        try {
            return untilThere(nowNanos, permits);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long lookAhead(long thenNanos, long permits) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            int index = 0;
            long left = taken;
            while (index < size && Long.compareUnsigned(age(index, thenNanos), length) >= 0) {
                left -= counts[place(index++)];
            }
            return untilThere(thenNanos, index, left - (limit - permits));
        } finally {
            lock.unlock();
        }
    }

    private long untilThere(long nowNanos, long permits) {
        if (closed) {
            return CLOSED;
        }
        dropOld(nowNanos);
        return untilThere(nowNanos, 0, taken - (limit - permits));
    }

    /** Returns how long it is until so many are freed of those from an entry on; 0 if there is no excess. */
    private long untilThere(long nowNanos, int from, long excess) {
        if (excess <= 0) {
            return 0;
        }
        int index = from;
        for (long freed = counts[place(index)]; freed < excess; freed += counts[place(index)]) {
            index++;
        }
        // The time of the entry, and not its age: it may be in the future of a reading that is late.
        return Nanos.add(length, times[place(index)] - nowNanos);
    }

    private void add(long permits) {
        taken += permits;
        if (size > 0 && age(size - 1, latest) == 0) {
            counts[place(size - 1)] += permits;
            return;
        }
        append(latest, permits);
    }

    private void append(long atNanos, long permits) {
        if (size == times.length) {
            makeRoom();
        }
        times[place(size)] = atNanos;
        counts[place(size)] = permits;
        size++;
    }

    /** Leaves out entries of which everything was given back; if there is none, doubles the ring. */
    private void makeRoom() {
        int used = 0;
        for (int index = 0; index < size; index++) {
            used += counts[place(index)] > 0 ? 1 : 0;
        }
        int room = used < size ? times.length : 2 * times.length;
        long[] newTimes = new long[room];
        long[] newCounts = new long[room];
        int next = 0;
        for (int index = 0; index < size; index++) {
            if (counts[place(index)] > 0) {
                newTimes[next] = times[place(index)];
                newCounts[next++] = counts[place(index)];
            }
        }
        times = newTimes;
        counts = newCounts;
        first = 0;
        size = next;
    }

    @Override
    public void giveBack(long nowNanos, long takenNanos, long permits) {
        lock.lock();
        try {
            dropOld(nowNanos);
            if (!closed && Meter.isWithin(length, takenNanos, nowNanos)) {
                // The oldest entry that may be the one: if it is another, a younger one stays, which is only stricter.
                giveBackFrom(firstFrom(takenNanos), permits);
            }
        } finally {
            lock.unlock();
        }
    }

    private void giveBackFrom(int firstIndex, long permits) {
        long rest = permits;
        for (int index = firstIndex; index < size && rest > 0; index++) {
            long back = Math.min(rest, counts[place(index)]);
            counts[place(index)] -= back;
            taken -= back;
            rest -= back;
        }
    }

    @Override
    public long refund(long nowNanos, long permits) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            dropOld(nowNanos);
            giveBackFrom(0, permits);
            return 0;
        } finally {
            lock.unlock();
        }
    }

    private int firstFrom(long takenNanos) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[place(middle)] - takenNanos < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    @Override
    public long charge(long nowNanos, long permits, long most) {
        lock.lock();
        try {
            if (closed) {
                return CLOSED;
            }
            dropOld(nowNanos);
            long charged = Math.min(permits, Math.max(0, Math.min(most, NEVER) - taken));
            long fits = Math.min(charged, Math.max(0, limit - taken));
            if (fits > 0) {
                add(fits);
            }
            owe(charged - fits);
            return 0;
        } finally {
            lock.unlock();
        }
    }

    /** Enters what is beyond the limit into the windows that follow, one after the other, as much as each allows. */
    private void owe(long permits) {
        long rest = permits;
        if (rest > 0 && times[place(size - 1)] - latest > 0) {
            long room = Math.min(rest, Math.max(0, limit - counts[place(size - 1)]));
            counts[place(size - 1)] += room;
            taken += room;
            rest -= room;
        }
        long at = Math.max(0, times[place(size - 1)] - latest) + latest;
        for (int windows = 1; rest > 0; windows++) {
            at += length;
            long part = windows < MAX_WINDOWS_OWED ? Math.min(rest, limit) : rest;
            append(at, part);
            taken += part;
            rest -= part;
        }
    }

    @Override
    public long available(long nowNanos) {
        lock.lock();
        try {
            dropOld(nowNanos);
            return Math.max(0, limit - taken);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long resetNanos(long nowNanos) {
        lock.lock();
        try {
            dropOld(nowNanos);
            if (taken == 0) {
                return 0;
            }
            int last = size - 1;
            while (counts[place(last)] == 0) { // everything of it was given back
                last--;
            }
            return Nanos.add(length, times[place(last)] - nowNanos);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public Meter copy(long nowNanos) {
        lock.lock();
        try {
            dropOld(nowNanos);
            SlidingLogMeter copy = new SlidingLogMeter(
                    limit,
                    length,
                    Arrays.copyOf(times, times.length),
                    Arrays.copyOf(counts, counts.length),
                    size,
                    taken);
            copy.first = first;
            copy.latest = latest;
            copy.started = started;
            return copy;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long close(long nowNanos) {
        lock.lock();
        try {
            if (!closed) {
                dropOld(nowNanos);
                closed = true;
            }
            return taken;
        } finally {
            lock.unlock();
        }
    }
}
