package dev.levee.examples.shortlink.smoke;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures how long this process got no processor: on a machine that does something else as well, an answer that is
 * late says nothing about the service. A thread that wants to run every few milliseconds notes each time that it could
 * not. Thread-safe.
 */
final class StallMeter implements AutoCloseable {
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** A shorter one is everyday life on two cores, and no answer is late because of it. */
    private static final long MIN_STALL_NANOS = TimeUnit.MILLISECONDS.toNanos(25);

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
        long last = System.nanoTime();
        while (!closed) {
            LockSupport.parkNanos(TICK_NANOS);
            long now = System.nanoTime();
            ran(last - startNanos, now - startNanos);
            last = now;
        }
    }

    /** Notes that the thread ran at two moments, and not in between. */
    void ran(long before, long now) {
        if (now - before - TICK_NANOS >= MIN_STALL_NANOS) {
            stalls.add(new Stall(before + TICK_NANOS, now));
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

    /** How long the process stalled, all stalls together. */
    long stalledMillis() {
        return TimeUnit.NANOSECONDS.toMillis(
                stalls.stream().mapToLong(stall -> stall.to() - stall.from()).sum());
    }

    @Override
    public void close() {
        closed = true;
    }
}
