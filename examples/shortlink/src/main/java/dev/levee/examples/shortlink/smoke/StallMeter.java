package dev.levee.examples.shortlink.smoke;

import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures how long this machine had no processor to give: an answer that was late then says nothing about the service.
 * A thread that wants to run every few milliseconds notes each time that it could not, and each tenth of a second in
 * which no processor was idle. Thread-safe.
 */
final class StallMeter implements AutoCloseable {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** A shorter one is everyday life on two cores, and no answer is late because of it. */
    private static final long MIN_STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

    /** Long enough for a figure: systems count in ticks of up to 10 ms. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** The time of a processor is counted in ticks, so that one which is never idle seems to be so now and then. */
    private static final double FULL = 0.9;

    /** How long a stall is felt: a breaker that opened because of it stays open for a second and some jitter. */
    private static final long AFTERMATH_NANOS = TimeUnit.MILLISECONDS.toNanos(1_500);

    private final List<Stall> stalls = new CopyOnWriteArrayList<>();
    private volatile boolean closed;

    private record Stall(long from, long to) {}

    /**
     * Starts to measure.
     *
     * @param startNanos what times count from, by {@link System#nanoTime}
     */
    static StallMeter start(long startNanos) {
        StallMeter meter = new StallMeter();
        Thread thread = new Thread(() -> meter.measure(startNanos), "stall meter");
        thread.setDaemon(true);
        thread.start();
        return meter;
    }

    private void measure(long startNanos) {
        OperatingSystemMXBean system = ManagementFactory.getOperatingSystemMXBean();
        long last = System.nanoTime();
        long looked = last;
        while (!closed) {
            LockSupport.parkNanos(TICK_NANOS);
            long now = System.nanoTime();
            ran(last - startNanos, now - startNanos);
            last = now;
            if (now - looked >= LOOK_NANOS && system instanceof com.sun.management.OperatingSystemMXBean processors) {
                used(looked - startNanos, now - startNanos, processors.getCpuLoad());
                looked = now;
            }
        }
    }

    /** Notes that the thread ran at two moments, and not in between. */
    void ran(long before, long now) {
        if (now - before - TICK_NANOS >= MIN_STALL_NANOS) {
            stalls.add(new Stall(before + TICK_NANOS, now));
        }
    }

    /**
     * Notes how much of all processors was used between two moments.
     *
     * @param share from 0 to 1; negative if it is not known
     */
    void used(long before, long now, double share) {
        if (share >= FULL) {
            stalls.add(new Stall(before, now));
        }
    }

    /** Whether a stall, or what followed from it, may be why an outcome is not as it must be. */
    boolean mayExplain(Outcome outcome) {
        return stalls.stream()
                .anyMatch(stall -> stall.from() < outcome.endNanos()
                        && outcome.request().atNanos() < stall.to() + AFTERMATH_NANOS);
    }

    /** Whether there was a stall between two moments. */
    boolean stalledBetween(long from, long to) {
        return stalls.stream().anyMatch(stall -> stall.from() < to && from < stall.to());
    }

    /** How long all stalls together were; what is in two of them counts once. */
    long stalledMillis() {
        long nanos = 0;
        long end = Long.MIN_VALUE;
        for (Stall stall :
                stalls.stream().sorted(Comparator.comparingLong(Stall::from)).toList()) {
            nanos += Math.max(0, stall.to() - Math.max(stall.from(), end));
            end = Math.max(end, stall.to());
        }
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    @Override
    public void close() {
        closed = true;
    }
}
