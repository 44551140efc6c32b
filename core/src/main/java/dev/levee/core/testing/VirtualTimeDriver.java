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
 * Moves time. One thread does so at a time, the driver; it runs timers and tasks, outside the lock, and these may move
 * time in turn.
 */
final class VirtualTimeDriver {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    final NanoClock clock = new Clock(this);
    final YieldingLock lock = new YieldingLock();
    final ParticipatingThreads crew;
    private final Condition driverLeft = lock.newCondition();

    // Written under the lock.
    private volatile long now;
    private volatile boolean auto;

    // Guarded by lock.
    final TimerQueue agenda = new TimerQueue();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Throwable> taskFailures = new ArrayList<>();
    private final List<Throwable> threadFailures = new ArrayList<>();
    private @Nullable Thread driver;
    private int drives;
    private int advancers;

    VirtualTimeDriver(long origin) {
        this(origin, PATIENCE);
    }

    /** With another time, of the machine, after which it gives up on threads that do not come to rest. */
    VirtualTimeDriver(long origin, Duration patience) {
        now = origin;
        crew = new ParticipatingThreads(lock, patience);
    }

    long now() {
        return now;
    }

    /** Moves time on by hand. */
    void advance(long nanos) {
        beginDrive();
        List<Throwable> thrown = new ArrayList<>();
        try {
            long target = now + nanos;
            do {
                rest(true);
            } while (step(target, true));
        } catch (IllegalStateException restless) {
            thrown.add(restless);
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

    TimerQueue.Event schedule(Runnable task, long delayNanos) {
        Require.nonNull("task", task);
        return lock.get(() -> {
            TimerQueue.Event event = agenda.add(now, delayNanos, task, null);
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
            long ticket = agenda.addTicketed(now, delayNanos - passed, task);
            signal();
            return ticket;
        } finally {
            lock.unlock();
        }
    }

    boolean take(long ticket, Runnable task) {
        lock.lock();
        try {
            return agenda.removeTicketed(ticket, task);
        } finally {
            lock.unlock();
        }
    }

    boolean cancel(TimerQueue.Event event) {
        return lock.get(() -> agenda.remove(event));
    }

    void execute(Runnable task) {
        Require.nonNull("task", task);
        lock.run(() -> {
            tasks.add(task);
            signal();
        });
    }

    int queued() {
        return lock.get(tasks::size);
    }

    /** Starts a thread that takes part until it ends; it must do its {@link #work}. */
    void start(Thread thread) {
        lock.run(() -> crew.enlist(thread));
        boolean started = false;
        try {
            thread.start();
            started = true;
        } finally {
            if (!started) {
                lock.run(() -> crew.dismiss(thread));
            }
        }
    }

    void work(Runnable task) {
        try {
            task.run();
        } catch (Throwable thrown) {
            lock.run(() -> threadFailures.add(thrown));
            throw thrown;
        } finally {
            lock.run(() -> {
                crew.current().ended = true;
                crew.changed();
                signal();
            });
        }
    }

    /** Whether the current thread runs a timer or task for somebody who advances by hand. Under the lock. */
    boolean isInTaskOfAdvance() {
        return driver == Thread.currentThread() && !auto;
    }

    /** Tells the driver, or whoever may become the driver, that there may be something to do. Under the lock. */
    void signal() {
        if (driver != null) {
            if (driver != Thread.currentThread()) {
                LockSupport.unpark(driver);
            }
        } else if (auto && advancers == 0) {
            ThreadState member = crew.anyWaiting();
            if (member != null) {
                LockSupport.unpark(member.thread);
            }
        }
    }

    private void beginDrive() {
        lock.run(() -> {
            advancers++;
            while (driver != null && driver != Thread.currentThread()) {
                signal();
                driverLeft.awaitUninterruptibly();
            }
            advancers--;
            driver = Thread.currentThread();
            drives++;
            crew.changed(); // whoever advances may have released what others wait for
        });
    }

    /** The current thread, which waits, may move time on by itself. */
    boolean tryBeginDrive() {
        return lock.get(() -> {
            if (!auto || (driver != Thread.currentThread() && (driver != null || advancers > 0))) {
                return false;
            }
            driver = Thread.currentThread();
            drives++;
            return true;
        });
    }

    /** Whether somebody wants to advance by hand and so goes first. */
    boolean advancerWaits() {
        return lock.get(() -> advancers > 0);
    }

    /** Returns what was thrown meanwhile. */
    List<Throwable> endDrive(boolean othersMayGoOn, boolean byHand) {
        return lock.get(() -> {
            List<Throwable> thrown = new ArrayList<>();
            if (--drives == 0) {
                driver = null;
                driverLeft.signal();
                if (othersMayGoOn) {
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

    /** Lets everything happen that can while time stands still; whether anything did. */
    boolean rest(boolean bounded) {
        boolean happened = false;
        lock.run(crew::beginsToRest);
        while (true) {
            happened |= crew.awaitQuiet(bounded);
            Runnable task = null;
            lock.lock();
            try {
                if (crew.busy(0) != null) {
                    continue; // unparked meanwhile
                }
                ThreadState unaware = crew.unaware();
                if (unaware != null) {
                    happened = true;
                    wake(unaware);
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

    /** Lets the next event happen at its time if it is not beyond the limit; else sets the clock to the limit. */
    boolean step(long limit, boolean limited) {
        Runnable task;
        lock.lock();
        try {
            TimerQueue.Event event = agenda.next();
            if (event == null || (limited && event.due() - limit > 0)) {
                if (limited && limit - now > 0) {
                    now = limit;
                }
                return false;
            }
            task = event.task();
            agenda.remove(event);
            now = event.due();
            event.over = true;
            if (event.sleeper != null && event.sleeper.waitsFor == event) {
                wake(event.sleeper);
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
            crew.changed();
            if (failure != null) {
                taskFailures.add(failure);
            }
        } finally {
            lock.unlock();
        }
    }

    private void wake(ThreadState member) {
        crew.runs(member);
        if (member.thread != Thread.currentThread()) {
            member.wakes = true;
            LockSupport.unpark(member.thread);
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

    private record Clock(VirtualTimeDriver engine) implements NanoClock {
        @Override
        public long nanoTime() {
            return engine.now();
        }

        @Override
        public String toString() {
            return "manual clock";
        }
    }
}
