package dev.levee.benchmarks.caching;

import java.util.concurrent.atomic.LongAdder;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.writebehind.put}: a value is put into a cache whose store gets it later, in batches of at most
 * {@value #BATCH}, from one worker; the store takes no time. Writes of a key that waits are coalesced, and up to
 * {@value #QUEUE} wait in memory.
 *
 * <pre>benchmarks/compare '^cache.writebehind.put$'</pre>
 */
public class CacheWritebehindPut {
    static final int BATCH = 100;
    static final int QUEUE = 100_000;

    private static final String VALUE = "value";

    private static void verify(LongAdder written) {
        if (written.sum() == 0) {
            throw new IllegalStateException("the store got nothing");
        }
    }

    @State(Scope.Benchmark)
    public static class LeveeState {
        final LongAdder written = new LongAdder();
        final LeveeWriteBehind behind = LeveeWriteBehind.inMemory(written);

        @TearDown
        public void close() {
            behind.close();
            verify(written);
        }
    }

    @Benchmark
    public void levee(LeveeState state, Turn turn) {
        state.behind.cache.put(turn.next(), VALUE);
    }

    @State(Scope.Benchmark)
    public static class EhcacheState {
        final LongAdder written = new LongAdder();
        final EhcacheOnHeap ehcache = new EhcacheOnHeap(Given.MAX_SIZE, QUEUE, BATCH, key -> written.increment());

        @TearDown
        public void close() {
            ehcache.close();
            verify(written);
        }
    }

    @Benchmark
    public void ehcache(EhcacheState state, Turn turn) {
        state.ehcache.cache.put(turn.next(), VALUE);
    }
}
