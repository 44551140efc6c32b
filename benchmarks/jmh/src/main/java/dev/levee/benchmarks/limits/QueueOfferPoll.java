package dev.levee.benchmarks.limits;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code queue.offer-poll}: an item is put into a bounded queue, and one is taken out.
 *
 * <pre>benchmarks/compare '^queue.offer-poll$'</pre>
 */
public class QueueOfferPoll {
    private static final int CAPACITY = 1_024;

    @State(Scope.Benchmark)
    public static class ArrayBlockingQueueState {
        final ArrayBlockingQueue<String> queue = new ArrayBlockingQueue<>(CAPACITY);
    }

    @Benchmark
    public String arrayBlockingQueue(ArrayBlockingQueueState state) {
        state.queue.offer("item");
        return state.queue.poll();
    }

    /** Without a bound. */
    @State(Scope.Benchmark)
    public static class ConcurrentLinkedQueueState {
        final ConcurrentLinkedQueue<String> queue = new ConcurrentLinkedQueue<>();
    }

    @Benchmark
    public String concurrentLinkedQueue(ConcurrentLinkedQueueState state) {
        state.queue.offer("item");
        return state.queue.poll();
    }
}
