package dev.levee.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Deadline;
import dev.levee.core.Environment;
import dev.levee.core.Gate;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.testing.ManualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/**
 * Calls that end on the spot hand their permit to the next, which ends on the spot: the stack must not grow with the
 * queue.
 */
class LongQueueTest {
    private static final int CALLS = 100_000;

    private final ManualTime time = new ManualTime();
    private final Environment direct =
            time.environment().toBuilder().executor(Runnable::run).build();
    private int depth;
    private int deepest;

    private Bulkhead bulkhead(String name) {
        return Bulkhead.of(name, config -> config.maxConcurrent(1).queue(CALLS, Duration.ofHours(1)), direct);
    }

    @Test
    void a_long_queue_is_worked_off_in_order_on_the_stack_of_the_call_that_left() {
        Bulkhead bulkhead = bulkhead("b");
        CompletableFuture<Integer> first = new CompletableFuture<>();
        CompletableFuture<Integer> holder = bulkhead.callAsync(() -> first);
        List<Integer> order = new ArrayList<>();
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int call = 0; call < CALLS; call++) {
            int number = call;
            all.add(bulkhead.callAsync(() -> {
                order.add(number);
                return CompletableFuture.completedFuture(number);
            }));
        }
        first.complete(-1);
        assertThat(holder).isCompletedWithValue(-1);
        assertThat(all).allMatch(CompletableFuture::isDone).noneMatch(CompletableFuture::isCompletedExceptionally);
        assertThat(order).hasSize(CALLS).isSorted();
        assertThat(bulkhead.inFlight()).isZero();
        assertThat(bulkhead.waiting()).isZero();
        assertThat(time.pendingTimers()).isZero();
    }

    @Test
    void so_are_two_long_queues_that_hand_over_to_each_other() {
        Bulkhead one = bulkhead("one");
        Bulkhead other = bulkhead("other");
        List<CompletableFuture<Void>> left = new ArrayList<>();
        one.tryEnter(0);
        long last = other.tryEnter(0);
        for (int call = 0; call < CALLS / 10; call++) {
            left.add(one.enterAsync(never()).thenAccept(stamp -> leaveFromInside(other, stamp)));
            left.add(other.enterAsync(never()).thenAccept(stamp -> leaveFromInside(one, stamp)));
        }
        exit(other, last);
        exit(one, 1);
        assertThat(left).noneMatch(CompletableFuture::isCompletedExceptionally);
        assertThat(one.waiting() + other.waiting()).isZero();
        assertThat(deepest).isLessThan(50);
    }

    /** The permit of one is given back when that of the other is handed over. */
    private void leaveFromInside(Bulkhead bulkhead, long stamp) {
        deepest = Math.max(deepest, ++depth);
        exit(bulkhead, stamp);
        depth--;
    }

    private Deadline never() {
        return Deadline.after(Duration.ofSeconds(Long.MAX_VALUE), direct.clock());
    }

    private static void exit(Gate gate, long stamp) {
        gate.exit(stamp, 0, 0, Verdict.SUCCESS, RefusedException.UNKNOWN);
    }
}
