package dev.levee.simulator;

import dev.levee.core.Scheduler;
import java.util.SplittableRandom;

/**
 * The times at which the process of one client stands still, and its timers, which run late for that reason: what falls
 * due in a stall happens when it is over. The rest of the world goes on.
 */
public final class Stalls implements Scheduler {
    private final VirtualTime time;
    private final long[] from;
    private final long[] to;

    /**
     * Stalls of random length, one soon after the other.
     *
     * @param start when the first begins
     * @param count how many, at least one
     */
    public Stalls(World world, long start, int count, long leastNanos, long mostNanos, long betweenNanos) {
        time = world.time();
        from = new long[count];
        to = new long[count];
        SplittableRandom random = world.random("stalls");
        long next = start;
        for (int i = 0; i < count; i++) {
            from[i] = next;
            to[i] = next + random.nextLong(leastNanos, mostNanos + 1);
            next = to[i] + betweenNanos;
        }
    }

    /** When the last is over. */
    public long end() {
        return to[to.length - 1];
    }

    /** When the process does what is due then: at that time, or when the stall is over into which it falls. */
    public long done(long due) {
        for (int i = 0; i < from.length; i++) {
            if (due >= from[i] && due < to[i]) {
                return to[i];
            }
        }
        return due;
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        long now = time.now();
        return time.schedule(task, done(now + Math.max(delayNanos, 0)) - now);
    }

    @Override
    public void sleep(long nanos) {
        time.sleep(nanos);
    }

    @Override
    public void park(Object blocker, long nanos) {
        time.park(blocker, nanos);
    }
}
