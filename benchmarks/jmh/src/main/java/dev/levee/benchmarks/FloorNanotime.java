package dev.levee.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code floor.nanotime}: one reading of the clock.
 *
 * <pre>benchmarks/compare '^floor.nanotime$'</pre>
 */
public class FloorNanotime {
    @Benchmark
    public long floor() {
        return System.nanoTime();
    }
}
