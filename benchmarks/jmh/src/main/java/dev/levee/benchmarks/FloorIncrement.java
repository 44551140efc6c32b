package dev.levee.benchmarks;

import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code floor.increment}: incrementing an {@link AtomicLong} that the threads share.
 *
 * <pre>benchmarks/compare '^floor.increment$'</pre>
 */
public class FloorIncrement {
    @State(Scope.Benchmark)
    public static class Word {
        final AtomicLong word = new AtomicLong();
    }

    @Benchmark
    public long floor(Word shared) {
        return shared.word.getAndIncrement();
    }
}
