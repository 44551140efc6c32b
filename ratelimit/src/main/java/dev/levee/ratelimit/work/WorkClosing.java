package dev.levee.ratelimit.work;

import dev.levee.core.Environment;
import dev.levee.core.internal.Nanos;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The end of a queue. The first close that has nothing to wait for, or no time left, makes the report that all get.
 *
 * @param <T> the items
 */
final class WorkClosing<T> {
    private final Environment environment;
    private final WorkBook<T> book;
    private final WorkSlots slots;
    private final WorkWaiters waiters;
    private final WorkCrew<T> crew;
    private final WorkAttempts<T> attempts;

    /** Threads that wait in a close. */
    private final Queue<Thread> closers = new ConcurrentLinkedQueue<>();

    /** Whether a close has begun. */
    private volatile boolean begun;

    /** Whether what is still handled has been interrupted, or is about to be. */
    private volatile boolean interrupting;

    private volatile @Nullable WorkReport<T> report;

    WorkClosing(
            Environment environment,
            WorkBook<T> book,
            WorkSlots slots,
            WorkWaiters waiters,
            WorkCrew<T> crew,
            WorkAttempts<T> attempts) {
        this.environment = environment;
        this.book = book;
        this.slots = slots;
        this.waiters = waiters;
        this.crew = crew;
        this.attempts = attempts;
    }

    boolean isInterrupting() {
        return interrupting;
    }

    /** An item has ended, or waits: a close may be over. */
    void ended() {
        if (begun) {
            closers.forEach(LockSupport::unpark);
        }
    }

    WorkReport<T> close(long timeoutNanos) {
        long until = environment.clock().nanoTime() + timeoutNanos;
        boolean ever = timeoutNanos < Nanos.NEVER;
        book.ring.close();
        begun = true;
        waiters.admit(); // refuses all of them
        book.locked(() -> {
            book.closeAt(until, ever);
            return null;
        });
        crew.wake();
        Thread thread = Thread.currentThread();
        closers.add(thread);
        boolean interrupted = false;
        try {
            WorkReport<T> made = report;
            while (made == null) {
                long left = ever ? until - environment.clock().nanoTime() : Nanos.NEVER;
                interrupted |= Thread.interrupted();
                if (left <= 0 || interrupted || book.locked(this::isOver)) {
                    made = finish();
                } else {
                    environment.scheduler().park(this, left);
                    made = report;
                }
            }
            return made;
        } finally {
            closers.remove(thread);
            if (interrupted) {
                thread.interrupt();
            }
        }
    }

    /** Whether everything has ended; gives back what waits if the queue is paused. */
    private boolean isOver() {
        if (crew.isPaused()) {
            book.stop(attempts);
        }
        WorkCounts counts = book.counts();
        return counts.running() == 0 && counts.waiting() == 0;
    }

    private WorkReport<T> finish() {
        List<WorkSlots.Running> running;
        List<WorkEntry<T>> returns;
        WorkReport<T> made;
        book.lock.lock();
        try {
            if (report != null) {
                return report;
            }
            book.stop(attempts);
            running = running();
            returns = book.returns();
            WorkCounts counts = book.counts();
            made = new WorkReport<>(
                    counts.accepted() - counts.deadLettered() - counts.returned() - running.size(),
                    counts.deadLettered(),
                    items(returns),
                    itemsOf(running));
            report = made;
            book.clearReturns();
        } finally {
            book.lock.unlock();
        }
        interrupting = true;
        running.forEach(each -> attempts.shielded(each::interrupt));
        for (WorkEntry<T> entry : returns) {
            attempts.shielded(entry::cancelTimer);
            entry.tellCaller();
        }
        closers.forEach(LockSupport::unpark);
        return made;
    }

    /**
     * Returns what is being handled at one moment: no item has ended while the slots were looked at, and as many were
     * seen as there must be. Nothing is begun any more, so this waits at most for threads that are between two
     * instructions.
     */
    private List<WorkSlots.Running> running() {
        while (true) {
            long ended = book.ring.ended();
            List<WorkSlots.Running> running = slots.running();
            if (running.size() == book.counts().running() && ended == book.ring.ended()) {
                return running;
            }
            Thread.onSpinWait();
        }
    }

    private List<T> items(List<WorkEntry<T>> entries) {
        List<T> items = new ArrayList<>();
        entries.forEach(entry -> items.add(entry.item));
        return items;
    }

    private List<T> itemsOf(List<WorkSlots.Running> running) {
        List<T> items = new ArrayList<>();
        running.stream()
                .sorted(Comparator.comparingLong(WorkSlots.Running::position))
                .forEach(each -> items.add(attempts.itemOf(each.item())));
        return items;
    }
}
