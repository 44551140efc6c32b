package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;

/**
 * The clock, timers, threads and randomness of the machine: the only place of the library that takes them from the JDK.
 * See ADR 12, and ADR 17 for virtual threads, which are found at run time.
 */
enum SystemTime implements NanoClock, Scheduler, Timers {
    INSTANCE;

    static final Environment ENVIRONMENT = new Environment.Builder(
                    INSTANCE, INSTANCE, task -> Workers.EXECUTOR.execute(task), new PerThreadRandom(), Listener.NONE)
            .build();

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Object clock() {
        return this;
    }

    @Override
    public long set(Runnable task, long nowNanos, long delayNanos) {
        return Wheels.TIMERS.set(task, nowNanos, delayNanos);
    }

    @Override
    public boolean take(long ticket, Runnable task) {
        return Wheels.TIMERS.take(ticket, task);
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        ScheduledTask scheduled = new ScheduledTask(Require.nonNull("task", task));
        scheduled.ticket = set(scheduled, nanoTime(), delayNanos);
        return scheduled;
    }

    @Override
    public void sleep(long nanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(nanos);
    }

    @Override
    public void park(Object blocker, long nanos) {
        LockSupport.parkNanos(blocker, nanos);
    }

    @Override
    public String toString() {
        return "system time";
    }

    private static ThreadFactory daemons(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            // Inherits nothing from the thread that happens to need it first: neither thread-locals nor a class loader.
            Thread thread = new Thread(null, task, name + "-" + count.incrementAndGet(), 0, false);
            thread.setContextClassLoader(SystemTime.class.getClassLoader());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** The timers; started by the first one that is set. */
    private static final class Wheels {
        private static final int MAX_STRIPE_BITS = 6;

        static final WheelTimers TIMERS = new WheelTimers(INSTANCE, INSTANCE, daemons("levee-timer"), stripeBits());

        /** Four to eight stripes for each processor, so that two threads seldom want the same one. */
        private static int stripeBits() {
            int processors = Runtime.getRuntime().availableProcessors();
            return Math.min(Integer.SIZE - Integer.numberOfLeadingZeros(processors) + 2, MAX_STRIPE_BITS);
        }
    }

    /** A task and its handle in one. It is set on the wheels itself, so that it is not mistaken for another task. */
    private static final class ScheduledTask implements Runnable, Timer {
        private final Runnable task;
        private long ticket;

        ScheduledTask(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            task.run();
        }

        @Override
        public boolean cancel() {
            return INSTANCE.take(ticket, this);
        }

        @Override
        public String toString() {
            return task.toString();
        }
    }

    /** The worker threads; started by the first task that is executed. */
    private static final class Workers {
        static final Executor EXECUTOR = create();

        private static Executor create() {
            // Virtual threads exist from Java 21 on; this library is compiled for 17.
            try {
                return (ExecutorService) Executors.class
                        .getMethod("newVirtualThreadPerTaskExecutor")
                        .invoke(null);
            } catch (ReflectiveOperationException notThere) {
                return new ThreadPoolExecutor(
                        0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons("levee-worker"));
            }
        }
    }

    /** {@link ThreadLocalRandom} of the calling thread, whichever that is. */
    private static final class PerThreadRandom implements RandomGenerator {
        @Override
        public long nextLong() {
            return ThreadLocalRandom.current().nextLong();
        }

        @Override
        public int nextInt() {
            return ThreadLocalRandom.current().nextInt();
        }
    }
}
