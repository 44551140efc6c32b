package dev.levee.benchmarks.limits;

import org.openjdk.jmh.annotations.Benchmark;

/**
 * {@code keyed.1m-zipf}: asking a limit per key that admits, for one of 1 000 000 addresses that are drawn by a Zipf
 * law.
 *
 * <pre>benchmarks/compare '^keyed.1m-zipf$'</pre>
 */
public class Keyed1mZipf {
    private static final int KEYS = 1_000_000;

    public static class Levee extends KeyedLimiters.LeveeState {
        public Levee() {
            super(KEYS);
        }
    }

    @Benchmark
    public long levee(Levee state, KeyedLimiters.Next next) {
        return state.limiter.tryAcquireOrWaitNanos(state.keys.get(next.index++));
    }

    public static class Bucket4j extends KeyedLimiters.Bucket4jState {
        public Bucket4j() {
            super(KEYS);
        }
    }

    /** In a {@code ConcurrentHashMap}, which keeps every key for ever. */
    @Benchmark
    public boolean bucket4jMap(Bucket4j state, KeyedLimiters.Next next) {
        return state.ask(state.keys.get(next.index++));
    }

    public static class Bucket4jCaffeine extends KeyedLimiters.Bucket4jCaffeineState {
        public Bucket4jCaffeine() {
            super(KEYS);
        }
    }

    @Benchmark
    public boolean bucket4jCaffeine(Bucket4jCaffeine state, KeyedLimiters.Next next) {
        return state.ask(state.keys.get(next.index++));
    }
}
