package dev.levee.simulator;

/**
 * What became of the calls, by the time at which each of them was meant to start: waiting before a call is sent counts
 * like waiting for its answer, so a stall is not left out because nothing could be sent meanwhile.
 *
 * <p>A call succeeds if its answer came, was a good one, and took no longer than the limit. One that fails counts as
 * one that took the limit at least: failing fast never improves a percentile.
 */
public final class Recorder {
    /** What became of the calls of one phase. */
    public static final class Phase {
        private final Latencies latencies = new Latencies();
        private long succeeded;
        private long failed;

        /** How long they took. */
        public Latencies latencies() {
            return latencies;
        }

        /** How many succeeded. */
        public long succeeded() {
            return succeeded;
        }

        /** How many did not. */
        public long failed() {
            return failed;
        }

        /** The share that succeeded, in per cent; not a number without calls. */
        public double successPercent() {
            return 100.0 * succeeded / (succeeded + failed);
        }
    }

    private final VirtualTime time;
    private final long limitNanos;
    private final long[] starts;
    private final Phase[] phases;
    private long open;

    /** Records in phases that start at these times; what is meant to start before the first of them is warm-up. */
    public Recorder(World world, long limitNanos, long... starts) {
        this.time = world.time();
        this.limitNanos = limitNanos;
        this.starts = starts.clone();
        this.phases = new Phase[starts.length];
        for (int i = 0; i < starts.length; i++) {
            phases[i] = new Phase();
        }
    }

    /** A call is meant to start now. */
    public void opened() {
        open++;
    }

    /** A call that was meant to start then has ended now. */
    public void ended(long intended, boolean success) {
        open--;
        int phase = starts.length - 1;
        while (phase >= 0 && intended < starts[phase]) {
            phase--;
        }
        if (phase < 0) {
            return;
        }
        Phase of = phases[phase];
        long took = time.now() - intended;
        if (success && took <= limitNanos) {
            of.succeeded++;
            of.latencies.add(took);
        } else {
            of.failed++;
            of.latencies.add(Math.max(took, limitNanos));
        }
    }

    /** How many calls have not ended. */
    public long open() {
        return open;
    }

    /** One of the phases. */
    public Phase phase(int index) {
        return phases[index];
    }

    /** How many phases there are. */
    public int phases() {
        return phases.length;
    }
}
