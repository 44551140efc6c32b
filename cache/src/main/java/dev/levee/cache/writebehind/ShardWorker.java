package dev.levee.cache.writebehind;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.parts.HandOver;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The worker of a shard: a task on the environment's executor that begins when something is due, and ends when nothing
 * is; then a timer waits for what is due next. The timer only hands the task over. A hand-over that fails is tried
 * again after a while.
 */
final class ShardWorker<K, V> {
    private static final long RESTART_NANOS = 100_000_000L;
    private static final long NOTHING = -1;

    private final ShardExit<K, V> exit;
    private final StoreWriter<K, V> writer;
    private final Environment environment;
    private final HandOver handOver;
    private final Runnable task = this::work;
    private final ReentrantLock timing = new ReentrantLock();

    /** Whether a timer is set, or about to be; guarded by {@link #timing}, as are the next three. */
    private boolean isSet;

    /** When it runs. */
    private long setFor;

    /** Tells timers apart. */
    private long number;

    private Scheduler.@Nullable Timer timer;

    ShardWorker(ShardExit<K, V> exit, StoreWriter<K, V> writer, Environment environment, HandOver handOver) {
        this.exit = exit;
        this.writer = writer;
        this.environment = environment;
        this.handOver = handOver;
    }

    /** Begins to work if something is due, or sets a timer for what will be. Does not block. */
    void plan() {
        long now = environment.clock().nanoTime();
        long wait = exit.planned(now, NOTHING);
        if (wait > 0) {
            wakeAt(now, Math.min(wait, Nanos.NEVER));
        } else if (wait == 0) {
            if (handOver.execute(environment, task, this::restartLater) != null) {
                restartLater();
            }
        }
    }

    private void restartLater() {
        exit.stopped();
        wakeAt(environment.clock().nanoTime(), RESTART_NANOS);
    }

    private void work() {
        boolean ended = false;
        try {
            StackRoom.require();
            List<WriteSlot<K, V>> batch = exit.take(environment.clock().nanoTime());
            while (!batch.isEmpty()) {
                writer.write(exit, batch);
                batch = exit.take(environment.clock().nanoTime());
            }
            ended = true;
        } finally {
            if (!ended) { // no memory, or no stack
                restartLater();
            }
        }
        plan();
    }

    private void wakeAt(long now, long wait) {
        long own;
        Scheduler.Timer replaced;
        timing.lock();
        try {
            if (isSet && setFor - (now + wait) <= 0) {
                return;
            }
            isSet = true;
            setFor = now + wait;
            own = ++number;
            replaced = timer;
            timer = null;
        } finally {
            timing.unlock();
        }
        if (replaced != null) {
            replaced.cancel();
        }
        try {
            keep(own, environment.schedule(() -> fired(own), wait));
        } catch (Throwable noTimer) { // the environment is closed; the next write, or a close, tries again
            handOver.failed(noTimer);
            forget(own);
            exit.timerIsGone();
        }
    }

    private void keep(long own, Scheduler.Timer made) {
        timing.lock();
        try {
            if (number == own && isSet) {
                timer = made;
                return;
            }
        } finally {
            timing.unlock();
        }
        made.cancel();
    }

    private boolean forget(long own) {
        timing.lock();
        try {
            if (number == own) {
                isSet = false;
                timer = null;
            }
            return number == own;
        } finally {
            timing.unlock();
        }
    }

    private void fired(long own) {
        if (forget(own)) {
            exit.timerIsGone();
            plan();
        }
    }

    /** Takes the timer back: nothing will be due any more. */
    void stop() {
        Scheduler.Timer last;
        timing.lock();
        try {
            number++;
            isSet = false;
            last = timer;
            timer = null;
        } finally {
            timing.unlock();
        }
        if (last != null) {
            last.cancel();
        }
    }
}
