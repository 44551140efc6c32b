package dev.levee.benchmarks;

import java.util.concurrent.atomic.AtomicLong;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code floor.cas}: one successful compare-and-set of a word that the threads share, with the read before it and with
 * the tries that other threads spoil.
 *
 * <pre>benchmarks/compare '^floor.cas$'</pre>
 */
public class FloorCas {
    /** The word. JMH pads this object, so reading the reference does not meet the writes. */
    @State(Scope.Benchmark)
    public static class Word {
        final AtomicLong word = new AtomicLong();
    }

    @Benchmark
    public long floor(Word shared) {
        while (true) {
            long seen = shared.word.get();
            if (shared.word.compareAndSet(seen, seen + 1)) {
                return seen;
            }
        }
    }
}
