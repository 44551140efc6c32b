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

/** The machine's clock, timers and threads: the one place of the library that asks the JDK for them. */
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
            // Nothing of whoever happens to be the first to need a thread: neither thread-locals nor a class loader.
            Thread thread = new Thread(null, task, name + "-" + count.incrementAndGet(), 0, false);
            thread.setContextClassLoader(SystemTime.class.getClassLoader());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Started by the first timer. */
    private static final class Wheels {
        private static final int MAX_STRIPE_BITS = 6;

        static final WheelTimers TIMERS = new WheelTimers(INSTANCE, INSTANCE, daemons("levee-timer"), stripeBits());

        /** Four to eight stripes for each processor: two threads that meet are few then. */
        private static int stripeBits() {
            int processors = Runtime.getRuntime().availableProcessors();
            return Math.min(Integer.SIZE - Integer.numberOfLeadingZeros(processors) + 2, MAX_STRIPE_BITS);
        }
    }

    /** A task with a handle. It is in the wheels itself, so that it cannot be mistaken for another. */
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

    /** Started by the first work that is handed over. */
    private static final class Workers {
        static final Executor EXECUTOR = create();

        private static Executor create() {
            try { // Java 21 and later; this library is compiled for 17
                return (ExecutorService) Executors.class
                        .getMethod("newVirtualThreadPerTaskExecutor")
                        .invoke(null);
            } catch (ReflectiveOperationException notThere) {
                return new ThreadPoolExecutor(
                        0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), daemons("levee-worker"));
            }
        }
    }

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
