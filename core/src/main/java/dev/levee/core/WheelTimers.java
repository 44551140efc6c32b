package dev.levee.core;

import dev.levee.core.internal.Handles;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Timers;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
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
 *   is wakeAt long past? say what keeps the thread   lower wakeAt to the earliest next tick; park until then
 * </pre>
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>No wake-up is lost. A timer that is set before the thread reads the next tick of its stripe is seen there. One
 *       that is set later while the thread is awake lowers {@code wakeAt}, which the thread never raises when it plans
 *       its sleep: it does not rely on the permit of an unpark, which a task or a lock that parks may have used up. One
 *       that is set after that and is due earlier unparks the thread.
 *   <li>A ticket is checked together with its task, because places are used again; and a task is set at most once at a
 *       time. So {@link #take} never cancels another timer.
 *   <li>A task runs or is cancelled, never both: poll and remove take it off the wheel under the lock of the stripe.
 *   <li>The thread survives every exception and interrupt of a task. One that cannot be started is started by the next
 *       timer.
 *   <li>No thread dies with the lock of a stripe. Between taking it and giving it back a user's thread, whose stack may
 *       end, changes the wheel only by statements that call nothing ({@link TimerWheel}), and gives it back by one. A
 *       stripe whose holder does not go on all the same is passed over.
 * </ul>
 *
 * <p>See ADR 25, and ADR 72 for the end of the stack.
 */
final class WheelTimers implements Timers, Runnable {
    static final int TICK_BITS = 20;
    private static final long MAX_PARTIAL_TICK = (1L << TICK_BITS) - 1;

    /** Spreads consecutive numbers evenly: 2^64 divided by the golden ratio. */
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L;

    /** A task that takes at least this long is logged. */
    private static final long LONG_NANOS = 1_000_000_000L;

    private static final long LONG_TICKS = LONG_NANOS >> TICK_BITS;

    /** How often a thread asks for the lock of a stripe before it pauses between. */
    private static final int MAX_SPINS = 100;

    private static final long PAUSE_NANOS = 50_000L;

    /** After how many pauses a thread gives a stripe up: after some 100 ms. */
    private static final int MAX_PAUSES = 2_000;

    /** After how many pauses the timer thread passes over a stripe: after some 10 ms. */
    private static final int MAX_PAUSES_OF_TIMERS = 200;

    /** When the timer thread looks again at a stripe that it has passed over. */
    private static final long PASSED_OVER_TICKS = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private final NanoClock clock;
    private final Scheduler parking;
    private final ThreadFactory threads;
    private final long origin;
    private final Stripe[] stripes;
    private final int shift;

    /** The tick at which the thread will wake up; {@link TimerWheel#NONE} while it is awake, or if nothing is due. */
    private final PaddedLong wakeAt = new PaddedLong(TimerWheel.NONE);

    /** What the timer thread runs now. */
    private volatile @Nullable Runnable running;

    /** When {@link #running} began; written before it. */
    private long runningSince;

    /** The task that was last found to run for long; written by one thread at a time. */
    private volatile @Nullable Runnable reported;

    private final AtomicBoolean reporting = new AtomicBoolean();

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
            stripe.held = 0;
        }
        wakeThreadFor(tick, now);
        return ticket;
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        Stripe stripe = stripes[(int) (ticket >>> Integer.SIZE)];
        if (!lock(stripe, MAX_PAUSES)) {
            return false; // the task will run, when the stripe can be locked again
        }
        try {
            return stripe.wheel.remove((int) ticket, task);
        } finally {
            stripe.held = 0;
        }
    }

    /** Locks the stripe of this thread, or the next one that is free; returns its number. */
    private int lockOne() {
        int home = (int) ((Thread.currentThread().getId() * GOLDEN_RATIO) >>> shift);
        int number = home;
        int rounds = 0;
        while (!stripes[number].tryLock()) {
            number = (number + 1) & (stripes.length - 1);
            if (number == home) {
                pause(rounds++);
            }
        }
        return number;
    }

    /** Locks a stripe. Returns false if it cannot be locked: its holder has no processor, or does not run any more. */
    private boolean lock(Stripe stripe, int maxPauses) {
        int rounds = 0;
        while (!stripe.tryLock()) {
            if (rounds == MAX_SPINS + maxPauses) {
                return false;
            }
            pause(rounds++);
        }
        return true;
    }

    private void pause(int rounds) {
        if (rounds < MAX_SPINS) {
            Thread.onSpinWait();
        } else {
            parking.park(this, PAUSE_NANOS);
        }
    }

    private void wakeThreadFor(long tick, long now) {
        long planned = wakeAt.get();
        if (planned < now - LONG_TICKS) {
            overdue();
        }
        while (tick < planned) {
            if (wakeAt.compareAndSet(planned, tick)) {
                LockSupport.unpark(thread);
                return;
            }
            planned = wakeAt.get();
        }
    }

    /** The thread should have looked at its timers long ago: says what keeps it from that, once for each task. */
    private void overdue() {
        Runnable task = running;
        Thread worker = thread;
        if (task == null || worker == null || !reporting.compareAndSet(false, true)) {
            return;
        }
        try {
            long nanos = clock.nanoTime() - runningSince;
            if (task == running && task != reported && nanos >= LONG_NANOS) {
                reported = task;
                Throwable where = new Throwable("where the thread of the timers is");
                where.setStackTrace(worker.getStackTrace());
                SafeLog.warn(
                        LOG,
                        "A timer task has been running for {} ms, and all other timers wait: {} {}",
                        nanos / 1_000_000,
                        task.getClass().getName(),
                        task,
                        where);
            }
        } finally {
            reporting.set(false);
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
                long next = plan(runDue());
                parking.park(this, next == TimerWheel.NONE ? Long.MAX_VALUE : nanosUntil(next));
            } catch (Throwable thrown) { // all timers depend on this thread: there may not even be memory to log
                SafeLog.warn(LOG, "The thread of the timers goes on after a failure", thrown);
            }
        }
    }

    /** Plans the next wake-up: what a stripe was found to need, or a timer that was set while this thread was awake. */
    long plan(long next) {
        long planned;
        long earliest;
        do {
            planned = wakeAt.get();
            earliest = Math.min(next, planned);
        } while (!wakeAt.compareAndSet(planned, earliest));
        return earliest;
    }

    /** Returns the tick at which the thread will wake up, or {@link TimerWheel#NONE}. */
    long wakesAt() {
        return wakeAt.get();
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
            next = Math.min(next, runDue(stripe, now));
        }
        return next;
    }

    private long runDue(Stripe stripe, long now) {
        while (!closed) {
            if (!lock(stripe, stripe.passedOver ? 0 : MAX_PAUSES_OF_TIMERS)) {
                return passOver(stripe, now);
            }
            Runnable task;
            long next;
            try {
                task = stripe.wheel.poll(now);
                next = task == null ? stripe.trimmedNext() : TimerWheel.NONE;
            } finally {
                stripe.held = 0;
            }
            if (task == null) {
                stripe.passedOver = false;
                return next;
            }
            run(task);
        }
        return TimerWheel.NONE;
    }

    /** Lets the timers of the other stripes run, and says so when it begins. */
    private static long passOver(Stripe stripe, long now) {
        if (!stripe.passedOver) {
            stripe.passedOver = true;
            SafeLog.warn(
                    LOG,
                    "Some timers are late: the thread that holds the lock of their stripe does not go on. Other timers"
                            + " run meanwhile");
        }
        return now + PASSED_OVER_TICKS;
    }

    private void run(Runnable task) {
        try {
            long start = clock.nanoTime();
            runningSince = start;
            running = task;
            task.run();
            running = null;
            long nanos = clock.nanoTime() - start;
            if (nanos >= LONG_NANOS) {
                SafeLog.warn(
                        LOG,
                        "A timer task took {} ms, and all other timers waited: {} {}",
                        nanos / 1_000_000,
                        task.getClass().getName(),
                        task);
            }
        } catch (Throwable thrown) {
            SafeLog.warn(LOG, "A timer task threw: {} {}", task.getClass().getName(), task, thrown);
        } finally {
            running = null;
            reported = null;
            Thread.interrupted(); // an interrupt flag that a task leaves behind would keep the thread from parking
        }
    }

    /** Returns how many timers are set. */
    int pending() {
        int pending = 0;
        for (Stripe stripe : stripes) {
            if (lock(stripe, MAX_PAUSES)) {
                try {
                    pending += stripe.wheel.size();
                } finally {
                    stripe.held = 0;
                }
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

    /** A wheel and its lock, which a thread gives back without calling a method. */
    private static final class Stripe {
        private static final VarHandle HELD = Handles.field(MethodHandles.lookup(), "held", int.class);

        /** 1 while a thread holds the lock. */
        volatile int held;

        /** Of the timer thread: whether it could not lock this the last time. */
        boolean passedOver;

        final TimerWheel wheel = new TimerWheel();

        Stripe() {
            if (tryLock()) { // once on this stack, so that none that is about to end has to link it
                held = 0;
            }
        }

        boolean tryLock() {
            return held == 0 && HELD.compareAndSet(this, 0, 1);
        }

        long trimmedNext() {
            try {
                wheel.trim();
            } catch (OutOfMemoryError noMemory) {
                // It stays as large as it is.
            }
            return wheel.next();
        }
    }
}
