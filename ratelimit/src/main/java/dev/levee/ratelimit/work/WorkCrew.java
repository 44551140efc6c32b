package dev.levee.ratelimit.work;

import dev.levee.core.Environment;
import dev.levee.core.internal.StackRoom;
import dev.levee.core.internal.parts.HandOver;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.LoggerFactory;

/**
 * The workers of a queue: tasks that begin when there is work, and end when there is none.
 *
 * <p><b>No item is overlooked.</b> A thread that has added an item looks then how many workers there are; a worker that
 * finds nothing first counts itself out, and then looks for items once more. A worker that takes an item while others
 * wait, and there are too few workers, starts another one. A hand-over that fails is tried again after a while, and by
 * whatever adds or ends an item. Thread-safe.
 *
 * @param <T> the items
 */
final class WorkCrew<T> {
    private static final long RESTART_NANOS = Duration.ofMillis(100).toNanos();

    private final int workers;
    private final Environment environment;
    private final WorkBook<T> book;
    private final WorkSlots slots;
    private final WorkAttempts<T> attempts;
    private final HandOver handOver;
    private final Runnable worker = this::work;

    /** Workers that were handed over and have not ended, and stages that count as theirs. */
    private final AtomicInteger active = new AtomicInteger();

    private final AtomicBoolean restarting = new AtomicBoolean();
    private volatile boolean paused;

    WorkCrew(
            String label,
            int workers,
            Environment environment,
            WorkBook<T> book,
            WorkSlots slots,
            WorkAttempts<T> attempts) {
        this.workers = workers;
        this.environment = environment;
        this.book = book;
        this.slots = slots;
        this.attempts = attempts;
        this.handOver = new HandOver(LoggerFactory.getLogger(WorkQueue.class), label);
    }

    boolean isPaused() {
        return paused;
    }

    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
        wake();
    }

    /** Starts a worker if there is work for one more. Does not block. */
    void wake() {
        int seen;
        while ((seen = active.get()) < workers && !paused && book.hasWork()) {
            if (active.compareAndSet(seen, seen + 1)) {
                if (handOver.execute(environment, worker, this::notBegun) != null) {
                    notBegun();
                }
                return;
            }
        }
    }

    /** A worker has ended, or the stage that counted as one. */
    void leave() {
        active.getAndDecrement();
        wake();
    }

    private void work() {
        boolean kept = false;
        try {
            StackRoom.require();
            WorkSlot slot = slots.claim();
            try {
                while (!kept && attempts.take(slot)) {
                    wake(); // if more waits, and there are too few workers
                    kept = attempts.handle(slot, true);
                    if (!kept) {
                        Thread.interrupted(); // what the handler left behind is not for the next one
                    }
                }
            } finally {
                if (!kept) {
                    slot.release();
                }
            }
        } catch (Throwable noRoom) { // no memory, or no stack: nothing has been taken
            notBegun();
            throw noRoom;
        }
        if (!kept) {
            leave();
        }
    }

    private void notBegun() {
        active.getAndDecrement();
        restartLater();
    }

    private void restartLater() {
        if (restarting.compareAndSet(false, true)) {
            try {
                environment.schedule(this::restart, RESTART_NANOS);
            } catch (Throwable noTimer) { // the next item, or the end of one, tries again
                restarting.set(false);
            }
        }
    }

    private void restart() {
        restarting.set(false);
        wake();
    }
}
