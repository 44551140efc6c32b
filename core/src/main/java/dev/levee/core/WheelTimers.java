package dev.levee.core;

import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.PaddedLong;
import dev.levee.core.internal.Timers;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Timers on wheels: one thread runs what is due, and sleeps until something may be.
 *
 * <p>A tick is 2^20 ns, some 1.05 ms: a task runs when the tick after its time begins or later, never before its time. There
 * is a wheel for each of several stripes, so that threads seldom want the same lock; who finds one taken sets the timer
 * on the next. Tasks run one by one, outside the locks, and each can be taken back until its own turn has come.
 *
 * <p>Whoever sets a timer that is due before {@code wakeAt} wakes the thread. The thread writes {@link TimerWheel#NONE}
 * there before it looks at the stripes, and the earliest tick afterwards. So either its look at a stripe sees a timer, or
 * the timer was set after the look, and whoever set it reads what the thread has written before.
 */
final class WheelTimers implements Timers, Runnable {
    static final int TICK_BITS = 20;
    private static final long MAX_PARTIAL_TICK = (1L << TICK_BITS) - 1;
    private static final long GOLDEN_RATIO = 0x9E3779B97F4A7C15L; // spreads numbers that follow each other
    private static final long LONG_NANOS = 1_000_000_000L;
    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private final NanoClock clock;
    private final Scheduler parking;
    private final ThreadFactory threads;
    private final long origin;
    private final Stripe[] stripes;
    private final int shift;
    private final PaddedLong wakeAt = new PaddedLong(TimerWheel.NONE);
    private final ReentrantLock starting = new ReentrantLock();
    private volatile @Nullable Thread thread;

    /**
     * Timers whose thread is started by the first.
     *
     * @param clock counts
     * @param parking where the thread waits
     * @param threads makes the thread
     * @param stripeBits there are two to the power of this many stripes, at least two
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

    /** Locks the stripe of this thread, or another one if somebody is there. */
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
            if (thread == null) {
                Thread created = threads.newThread(this);
                created.start();
                thread = created;
            }
        } finally {
            starting.unlock();
        }
    }

    @Override
    public void run() {
        while (true) {
            try {
                long next = runDue();
                wakeAt.set(next);
                parking.park(this, next == TimerWheel.NONE ? Long.MAX_VALUE : nanosUntil(next));
            } catch (Throwable thrown) { // the last resort of all timers: there may be no memory even to log a warning
                report(thrown);
            }
        }
    }

    private long nanosUntil(long tick) {
        return origin + (tick << TICK_BITS) - clock.nanoTime();
    }

    /** Runs all tasks whose time has come; the tick at which there will be something to do. */
    long runDue() {
        wakeAt.set(TimerWheel.NONE);
        long now = (clock.nanoTime() - origin) >>> TICK_BITS;
        long next = TimerWheel.NONE;
        for (Stripe stripe : stripes) {
            Runnable task = stripe.poll(now);
            while (task != null) {
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
            Thread.interrupted(); // a task's affair: the thread could not park with it
        }
    }

    private static void report(Throwable thrown) {
        try {
            LOG.warn("A timer task threw", thrown);
        } catch (Throwable hopeless) {
            // The timers of everybody else are more important.
        }
    }

    /** How many timers wait. */
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
