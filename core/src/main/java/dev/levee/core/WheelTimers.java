package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Timers;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Timers on striped wheels: one thread runs the tasks that are due, and sleeps until the next one may be.
 *
 * <p>A tick is 2^20 ns, some 1.05 ms: a task runs when the tick after its time begins or later, never before its time.
 * There is a {@link TimerWheel} for each of several stripes, so that threads seldom want the same lock; a thread that
 * finds the lock of its stripe taken sets the timer on the next stripe. Tasks run one by one, outside the locks, and
 * each can be cancelled until it is polled.
 *
 * <pre>
 *   ticket      63 .............. 32 | 31 ............................ 0
 *               number of the stripe | place in its wheel, at least 512       0 is no ticket
 *
 *   a thread that sets a timer                       the timer thread
 *   --------------------------                       ----------------
 *   lock a stripe, add the task, unlock              wakeAt = NONE
 *   while tick &lt; wakeAt:                             for each stripe: poll under its lock, run outside it,
 *     if CAS(wakeAt, tick): unpark the thread          until nothing is due; then read its next tick
 *                                                    wakeAt = the earliest next tick; park until then
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>No wake-up is lost. A timer that is set before the thread reads the next tick of its stripe is seen there. One
 *       that is set later finds in {@code wakeAt} either {@code NONE} or the planned tick; if it is due earlier, it
 *       unparks the thread, whose next park returns at once even if {@code wakeAt} has been overwritten meanwhile.
 *   <li>A ticket is checked together with its task, because places are used again; and a task is set at most once at a
 *       time. So {@link #take} never cancels another timer.
 *   <li>A task runs or is cancelled, never both: poll and remove take it off the wheel under the lock of the stripe.
 *   <li>The thread survives every exception and interrupt of a task.
 * </ul>
 *
 * <p>See ADR 25.
 */
final class WheelTimers implements Timers, Runnable {
    static final int TICK_BITS = 20;
    private static final long MAX_PARTIAL_TICK = (1L << TICK_BITS) - 1;

    /** Spreads consecutive numbers evenly: 2^64 divided by the golden ratio. */
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    /** A task that takes at least this long is logged. */
    private static final long LONG_NANOS = 1_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private final NanoClock clock;
    private final Scheduler parking;
    private final ThreadFactory threads;
    private final long origin;
    private final Stripe[] stripes;
    private final int shift;

    /** The tick at which the thread will wake up; {@link TimerWheel#NONE} while it is awake, or if nothing is due. */
    private final PaddedLong wakeAt = new PaddedLong(TimerWheel.NONE);

    private final ReentrantLock starting = new ReentrantLock();

    /** Null before the first timer is set and after {@link #close}. */
    private volatile @Nullable Thread thread;

    /** Written under the lock. */
    private volatile boolean closed;

    /**
     * Makes timers whose thread is started by the first one that is set.
     *
     * @param clock the clock of all delays
     * @param parking parks the thread
     * @param threads makes the thread
     * @param stripeBits the number of stripes is two to the power of this, which is at least 1
     */
    WheelTimers(NanoClock clock, Scheduler parking, ThreadFactory threads, int stripeBits) {
        this.clock = clock;
        this.parking = parking;
        this.threads = threads;
        this.origin = clock.nanoTime();
        this.stripes = new Stripe[1 << stripeBits];
        this.shift = Long.SIZE - stripeBits;
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new Stripe();
        }
    }

    @Override
    public Object clock() {
        return clock;
    }

    @Override
    public long set(Runnable task, long nowNanos, long delayNanos) {
        if (thread == null) {
            start();
        }
        return add(task, nowNanos, delayNanos);
    }

    /** Returns these timers as ones that are set also while their thread cannot be started. */
    Timers anyway() {
        return new Anyway();
    }

    private long add(Runnable task, long nowNanos, long delayNanos) {
        long since = Math.max(nowNanos - origin, 0);
        long now = since >>> TICK_BITS;
        long tick =
                delayNanos <= 0 ? now : (since + Math.min(delayNanos, Nanos.NEVER) + MAX_PARTIAL_TICK) >>> TICK_BITS;
        int number = lockOne();
        Stripe stripe = stripes[number];
        long ticket;
        try {
            ticket = (long) number << Integer.SIZE | stripe.wheel.add(task, now, tick);
        } finally {
            stripe.lock.unlock();
        }
        wakeThreadFor(tick);
        return ticket;
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        Stripe stripe = stripes[(int) (ticket >>> Integer.SIZE)];
        stripe.lock.lock();
        try {
            return stripe.wheel.remove((int) ticket, task);
        } finally {
            stripe.lock.unlock();
        }
    }

    /** Locks the stripe of this thread, or the next one that is free; returns its number. */
    private int lockOne() {
        int home = (int) ((Thread.currentThread().getId() * GOLDEN_RATIO) >>> shift);
        int number = home;
        do {
            if (stripes[number].lock.tryLock()) {
                return number;
            }
            number = (number + 1) & (stripes.length - 1);
        } while (number != home);
        stripes[home].lock.lock();
        return home;
    }

    private void wakeThreadFor(long tick) {
        long planned = wakeAt.get();
        while (tick < planned) {
            if (wakeAt.compareAndSet(planned, tick)) {
                LockSupport.unpark(thread);
                return;
            }
            planned = wakeAt.get();
        }
    }

    private void start() {
        starting.lock();
        try {
            if (closed) {
                throw new RejectedExecutionException("no timer can be set: the environment has been closed");
            }
            if (thread == null) {
                Thread created = threads.newThread(this);
                created.start();
                thread = created;
            }
        } finally {
            starting.unlock();
        }
    }

    /** Ends the thread. Timers that are set never run, and no further ones can be set. */
    void close() {
        starting.lock();
        try {
            closed = true;
            Thread running = thread;
            thread = null;
            LockSupport.unpark(running);
        } finally {
            starting.unlock();
        }
    }

    @Override
    public void run() {
        while (!closed) {
            try {
                long next = runDue();
                wakeAt.set(next);
                parking.park(this, next == TimerWheel.NONE ? Long.MAX_VALUE : nanosUntil(next));
            } catch (Throwable thrown) { // all timers depend on this thread: there may not even be memory to log
                report(thrown);
            }
        }
    }

    private long nanosUntil(long tick) {
        return origin + (tick << TICK_BITS) - clock.nanoTime();
    }

    /** Runs all tasks that are due, and returns the tick at which there will be something to do. */
    long runDue() {
        wakeAt.set(TimerWheel.NONE);
        long now = (clock.nanoTime() - origin) >>> TICK_BITS;
        long next = TimerWheel.NONE;
        for (Stripe stripe : stripes) {
            Runnable task = stripe.poll(now);
            while (task != null && !closed) {
                run(task);
                task = stripe.poll(now);
            }
            next = Math.min(next, stripe.next());
        }
        return next;
    }

    private void run(Runnable task) {
        long start = clock.nanoTime();
        try {
            task.run();
            long nanos = clock.nanoTime() - start;
            if (nanos >= LONG_NANOS) {
                LOG.warn("A timer task took {} ms, and all other timers waited: {}", nanos / 1_000_000, task);
            }
        } catch (Throwable thrown) {
            report(thrown);
        } finally {
            Thread.interrupted(); // an interrupt flag that a task leaves behind would keep the thread from parking
        }
    }

    private static void report(Throwable thrown) {
        try {
            LOG.warn("A timer task threw", thrown);
        } catch (Throwable hopeless) {
            // All other timers are more important.
        }
    }

    /** Returns how many timers are set. */
    int pending() {
        int pending = 0;
        for (Stripe stripe : stripes) {
            stripe.lock.lock();
            try {
                pending += stripe.wheel.size();
            } finally {
                stripe.lock.unlock();
            }
        }
        return pending;
    }

    /** Timers of parts that plan their own next turn: if the thread cannot be started, a later timer starts it. */
    private final class Anyway implements Timers {
        @Override
        public Object clock() {
            return clock;
        }

        @Override
        public long set(Runnable task, long nowNanos, long delayNanos) {
            long ticket = add(task, nowNanos, delayNanos);
            try {
                if (thread == null) {
                    start();
                }
            } catch (Throwable thrown) {
                SafeLog.warn(LOG, "The thread of the timers could not be started; the next timer tries again", thrown);
            }
            return ticket;
        }

        @Override
        public boolean take(long ticket, Runnable task) {
            return WheelTimers.this.take(ticket, task);
        }
    }

    /** A wheel and its lock. */
    private static final class Stripe {
        final ReentrantLock lock = new ReentrantLock();
        final TimerWheel wheel = new TimerWheel();

        @Nullable Runnable poll(long now) {
            lock.lock();
            try {
                return wheel.poll(now);
            } finally {
                lock.unlock();
            }
        }

        long next() {
            lock.lock();
            try {
                wheel.trim();
                return wheel.next();
            } finally {
                lock.unlock();
            }
        }
    }
}
