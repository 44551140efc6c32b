package dev.levee.benchmarks;

import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code floor.call}: the call that all subjects guard, unguarded, through its interface.
 *
 * <pre>benchmarks/compare '^floor.call$'</pre>
 */
public class FloorCall {
    @State(Scope.Benchmark)
    public static class Unguarded {
        final Supplier<String> work = new Work();
    }

    @Benchmark
    public String floor(Unguarded state) {
        return state.work.get();
    }
}
