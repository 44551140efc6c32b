package dev.levee.benchmarks.limits;

import dev.levee.ratelimit.work.WorkQueue;
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

    /** Without workers of its own: this thread takes the item, and its outcome is judged. */
    @State(Scope.Benchmark)
    public static class LeveeState {
        final WorkQueue<String> queue = WorkQueue.of(
                "queue", config -> config.capacity(CAPACITY).workers(0).ages(false), (item, attempt) -> null);
    }

    @Benchmark
    public boolean levee(LeveeState state) {
        state.queue.offer("item");
        return state.queue.runNext();
    }

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
