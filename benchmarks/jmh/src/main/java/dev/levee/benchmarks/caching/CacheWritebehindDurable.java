package dev.levee.benchmarks.caching;

import dev.levee.benchmarks.caching.DurableWriters.AppendedFile;
import dev.levee.benchmarks.caching.DurableWriters.Crew;
import dev.levee.benchmarks.caching.DurableWriters.MvStoreMap;
import dev.levee.cache.writebehind.WriteJournal.Durability;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * {@code cache.writebehind.durable}: a value is put into a cache whose store gets it later, and kept so that it
 * survives {@code kill -9}: the operating system has it when the call returns. A record has 256 bytes, and
 * {@value DurableWriters#WRITERS} threads write at a time, times the threads of the question; the figure is the time of
 * a record, of which a thousand million nanoseconds hold so many.
 *
 * <pre>benchmarks/compare '^cache.writebehind.durable$'</pre>
 */
public class CacheWritebehindDurable {
    @State(Scope.Benchmark)
    public static class LeveeState {
        final LeveeWriteBehind.Durable behind = new LeveeWriteBehind.Durable(Durability.PROCESS);

        @TearDown
        public void close() {
            behind.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(DurableWriters.RECORDS)
    public void levee(LeveeState state, Crew crew) throws InterruptedException {
        crew.write(state.behind.cache::put);
    }

    @State(Scope.Benchmark)
    public static class FileState {
        final AppendedFile file = new AppendedFile(false);

        @TearDown
        public void close() {
            file.close();
        }
    }

    /** By hand, into a file that nothing is ever read from or deleted in. */
    @Benchmark
    @OperationsPerInvocation(DurableWriters.RECORDS)
    public void append(FileState state, Crew crew) throws InterruptedException {
        crew.write(state.file::write);
    }

    @State(Scope.Benchmark)
    public static class MvStoreState {
        final MvStoreMap map = new MvStoreMap(false);

        @TearDown
        public void close() {
            map.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(DurableWriters.RECORDS)
    public void mvstore(MvStoreState state, Crew crew) throws InterruptedException {
        crew.write(state.map::write);
    }
}
