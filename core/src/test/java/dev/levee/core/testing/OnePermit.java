package dev.levee.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/** Parks and unparks as policies do. */
final class OnePermit {
    private final ManualTime time;
    private final Queue<Waiter> queue = new ArrayDeque<>();
    private boolean taken;

    OnePermit(ManualTime time) {
        this.time = time;
    }

    /** Waits until a condition holds; whether it did before the time was over. */
    static boolean await(ManualTime time, AtomicBoolean condition, long nanos) {
        long deadline = time.nanoTime() + nanos;
        while (!condition.get()) {
            long rest = deadline - time.nanoTime();
            if (rest <= 0) {
                return false;
            }
            time.environment().scheduler().park(condition, rest);
        }
        return true;
    }

    void acquire() {
        Waiter waiter = new Waiter(Thread.currentThread(), new AtomicBoolean());
        synchronized (this) {
            if (!taken) {
                taken = true;
                return;
            }
            queue.add(waiter);
        }
        assertThat(await(time, waiter.turn, 1_000_000)).isTrue();
    }

    void release() {
        Waiter next;
        synchronized (this) {
            next = queue.poll();
            taken = next != null;
        }
        if (next != null) {
            next.turn.set(true);
            LockSupport.unpark(next.thread);
        }
    }

    private record Waiter(Thread thread, AtomicBoolean turn) {}
}
