package dev.levee.core.testing;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Moves manual time. One thread does so at a time, the driving thread; it runs timers and tasks, outside the lock, and
 * these may move time in turn. See ADR 12.
 */
final class VirtualTimeDriver {
    private static final Duration GIVE_UP_AFTER = Duration.ofSeconds(10);

    final NanoClock clock = new Clock(this);
    final YieldingLock lock = new YieldingLock();
    final ParticipatingThreads threads;
    private final Condition drivingEnded = lock.newCondition();

    /** Written under the lock. */
    private volatile long now;

    /** Whether time moves by itself. Written under the lock. */
    private volatile boolean auto;

    // The fields below are guarded by the lock.

    final TimerQueue timerQueue = new TimerQueue();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Throwable> taskFailures = new ArrayList<>();
    private final List<Throwable> threadFailures = new ArrayList<>();
    private @Nullable Thread drivingThread;

    /** How often the driving thread has begun to move time without having ended it: tasks may move time in turn. */
    private int drives;

    /** How many threads wait to advance time by hand. */
    private int advancers;

    VirtualTimeDriver(long origin) {
        this(origin, GIVE_UP_AFTER);
    }

    /** Makes a driver that gives up on threads which keep running after another time of the machine. */
    VirtualTimeDriver(long origin, Duration timeout) {
        now = origin;
        threads = new ParticipatingThreads(lock, timeout);
    }

    long now() {
        return now;
    }

    /** Moves time by hand. */
    void advance(long nanos) {
        beginDrive();
        List<Throwable> thrown = new ArrayList<>();
        try {
            long target = now + nanos;
            do {
                runUntilIdle(true);
            } while (step(target, true));
        } catch (IllegalStateException stillRunning) {
            thrown.add(stillRunning);
        } finally {
            thrown.addAll(endDrive(true, true));
        }
        throwFirst(thrown);
    }

    void autoAdvance() {
        lock.run(() -> {
            auto = true;
            signal();
        });
    }

    TimerQueue.ScheduledEvent schedule(Runnable task, long delayNanos) {
        Require.nonNull("task", task);
        return lock.get(() -> {
            TimerQueue.ScheduledEvent event = timerQueue.add(now, delayNanos, task, null);
            signal();
            return event;
        });
    }

    /** As {@link #schedule}, with a ticket in place of an object, and a delay from a reading of the clock. */
    long set(Runnable task, long fromNanos, long delayNanos) {
        Require.nonNull("task", task);
        lock.lock();
        try {
            long passed = delayNanos >= Nanos.NEVER ? 0 : now - fromNanos;
            long ticket = timerQueue.addTicketed(now, delayNanos - passed, task);
            signal();
            return ticket;
        } finally {
            lock.unlock();
        }
    }

    boolean take(long ticket, Runnable task) {
        lock.lock();
        try {
            return timerQueue.removeTicketed(ticket, task);
        } finally {
            lock.unlock();
        }
    }

    boolean cancel(TimerQueue.ScheduledEvent event) {
        return lock.get(() -> timerQueue.remove(event));
    }

    void execute(Runnable task) {
        Require.nonNull("task", task);
        lock.run(() -> {
            tasks.add(task);
            signal();
        });
    }

    int pendingTasks() {
        return lock.get(tasks::size);
    }

    /** Starts a thread that takes part until it ends; it must call {@link #runStarted}. */
    void start(Thread thread) {
        lock.run(() -> threads.add(thread));
        boolean started = false;
        try {
            thread.start();
            started = true;
        } finally {
            if (!started) {
                lock.run(() -> threads.remove(thread));
            }
        }
    }

    /** Runs the task of a started thread, on that thread. */
    void runStarted(Runnable task) {
        try {
            task.run();
        } catch (Throwable thrown) {
            lock.run(() -> threadFailures.add(thrown));
            throw thrown;
        } finally {
            lock.run(() -> {
                threads.current().ended = true;
                threads.recordChange();
                signal();
            });
        }
    }

    /** Whether the current thread runs a timer or task within an advance by hand. Under the lock. */
    boolean isInTaskOfAdvance() {
        return drivingThread == Thread.currentThread() && !auto;
    }

    /** Unparks the driving thread, or one that may become it, because there may be something to do. Under the lock. */
    void signal() {
        if (drivingThread != null) {
            if (drivingThread != Thread.currentThread()) {
                LockSupport.unpark(drivingThread);
            }
        } else if (auto && advancers == 0) {
            ThreadState state = threads.anyWaiting();
            if (state != null) {
                LockSupport.unpark(state.thread);
            }
        }
    }

    private void beginDrive() {
        lock.run(() -> {
            advancers++;
            while (drivingThread != null && drivingThread != Thread.currentThread()) {
                signal();
                drivingEnded.awaitUninterruptibly();
            }
            advancers--;
            drivingThread = Thread.currentThread();
            drives++;
            threads.recordChange(); // the caller may have released what other threads wait for
        });
    }

    /** Makes the current thread, which waits, the driving thread if time moves by itself; returns whether it is. */
    boolean tryBeginDrive() {
        return lock.get(() -> {
            if (!auto || (drivingThread != Thread.currentThread() && (drivingThread != null || advancers > 0))) {
                return false;
            }
            drivingThread = Thread.currentThread();
            drives++;
            return true;
        });
    }

    /** Whether a thread waits to advance time by hand, which takes precedence. */
    boolean isAdvanceWaiting() {
        return lock.get(() -> advancers > 0);
    }

    /** Ends what {@link #beginDrive} or {@link #tryBeginDrive} began; returns what was thrown meanwhile. */
    List<Throwable> endDrive(boolean signalOthers, boolean byHand) {
        return lock.get(() -> {
            List<Throwable> thrown = new ArrayList<>();
            if (--drives == 0) {
                drivingThread = null;
                drivingEnded.signal();
                if (signalOthers) {
                    signal();
                }
                thrown.addAll(taskFailures);
                taskFailures.clear();
                if (byHand) {
                    thrown.addAll(threadFailures);
                    threadFailures.clear();
                }
            }
            return thrown;
        });
    }

    /** Runs everything that can run while time stands still; returns whether anything did. */
    boolean runUntilIdle(boolean bounded) {
        boolean happened = false;
        lock.run(threads::resetParks);
        while (true) {
            happened |= threads.awaitIdle(bounded);
            Runnable task = null;
            lock.lock();
            try {
                if (threads.nextBusy(0) != null) {
                    continue; // unparked meanwhile
                }
                ThreadState unchecked = threads.nextUnchecked();
                if (unchecked != null) {
                    happened = true;
                    wake(unchecked);
                    continue;
                }
                task = tasks.poll();
            } finally {
                lock.unlock();
            }
            if (task == null) {
                return happened;
            }
            happened = true;
            run(task);
        }
    }

    /** Moves time to the next event if it is not beyond the limit, else to the limit; returns whether there was one. */
    boolean step(long limit, boolean limited) {
        Runnable task;
        lock.lock();
        try {
            TimerQueue.ScheduledEvent event = timerQueue.next();
            if (event == null || (limited && event.due() - limit > 0)) {
                if (limited && limit - now > 0) {
                    now = limit;
                }
                return false;
            }
            task = event.task();
            timerQueue.remove(event);
            now = event.due();
            event.happened = true;
            if (event.waiter != null && event.waiter.waitsFor == event) {
                wake(event.waiter);
            }
        } finally {
            lock.unlock();
        }
        if (task != null) {
            run(task);
        }
        return true;
    }

    private void run(Runnable task) {
        Throwable failure = null;
        try {
            task.run();
        } catch (Throwable thrown) {
            failure = thrown;
        }
        lock.lock();
        try {
            threads.recordChange();
            if (failure != null) {
                taskFailures.add(failure);
            }
        } finally {
            lock.unlock();
        }
    }

    private void wake(ThreadState state) {
        threads.endWait(state);
        if (state.thread != Thread.currentThread()) {
            state.wakePending = true;
            LockSupport.unpark(state.thread);
        }
    }

    @SuppressWarnings("unchecked") // what a Runnable throws need not be declared
    static <X extends Throwable> void throwFirst(List<Throwable> thrown) throws X {
        if (thrown.isEmpty()) {
            return;
        }
        Throwable first = thrown.get(0);
        for (Throwable other : thrown) {
            if (other != first) {
                first.addSuppressed(other);
            }
        }
        throw (X) first;
    }

    private record Clock(VirtualTimeDriver driver) implements NanoClock {
        @Override
        public long nanoTime() {
            return driver.now();
        }

        @Override
        public String toString() {
            return "manual clock";
        }
    }
}
