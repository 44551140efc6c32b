package dev.levee.benchmarks;

import java.util.concurrent.atomic.AtomicInteger;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code floor.pair}: one {@link AtomicInteger} that the threads share, up and down again: the least that counting what
 * is in flight costs.
 *
 * <pre>benchmarks/compare '^floor.pair$'</pre>
 */
public class FloorPair {
    @State(Scope.Benchmark)
    public static class Word {
        final AtomicInteger word = new AtomicInteger();
    }

    @Benchmark
    public int floor(Word shared) {
        int up = shared.word.incrementAndGet();
        return up + shared.word.decrementAndGet();
    }
}
