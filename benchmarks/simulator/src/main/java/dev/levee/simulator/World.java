package dev.levee.simulator;

import dev.levee.core.Environment;
import java.util.SplittableRandom;

/**
 * One run: its time, its randomness, and what is recorded.
 *
 * <p>Each use of randomness has a stream of its own, named by its purpose. Two runs with one seed that differ only in
 * the strategy under test therefore see the same arrivals, the same work and the same faults: differences between them
 * are paired.
 */
public final class World {
    private final long seed;
    private final VirtualTime time = new VirtualTime();
    private boolean reportingLoad;

    /** A world in which nothing has happened yet. */
    public World(long seed) {
        this.seed = seed;
    }

    /** Its time. */
    public VirtualTime time() {
        return time;
    }

    /** Lets every server keep the record that probes ask for, and put it into its answers. */
    public void reportLoad() {
        reportingLoad = true;
    }

    boolean isReportingLoad() {
        return reportingLoad;
    }

    /**
     * The stream of random numbers for a purpose: always the same one for the same seed, whatever else was asked for.
     */
    public SplittableRandom random(String purpose) {
        return new SplittableRandom(mix(seed * 0x9E3779B97F4A7C15L + purpose.hashCode()));
    }

    /** What a balancer or a policy under test lives in: virtual time, no threads, its own stream of random numbers. */
    public Environment environment(String purpose) {
        return Environment.builder()
                .clock(time)
                .scheduler(time)
                .executor(Runnable::run)
                .random(random(purpose))
                .build();
    }

    /**
     * The finalizer of MurmurHash3 (Austin Appleby, 2011; constants by David Stafford): near seeds make far streams.
     */
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
