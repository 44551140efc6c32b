package dev.levee.core;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.TimerThread;
import dev.levee.core.internal.Timers;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.time.InstantSource;
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
import org.jspecify.annotations.Nullable;

/**
 * The clock, timers, threads and randomness of the machine: the only place of the library that takes them from the JDK.
 * See ADR 12, ADR 17 for virtual threads, which are found at run time, and ADR 63 for what threads inherit.
 */
enum SystemTime implements NanoClock, Scheduler, Timers {
    INSTANCE;

    static final Environment ENVIRONMENT = new Environment.Builder(
                    INSTANCE,
                    INSTANCE,
                    task -> Workers.EXECUTOR.execute(task),
                    new PerThreadRandom(),
                    Listener.NONE,
                    () -> {})
            .build();

    private static final int MAX_STRIPE_BITS = 6;

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    static InstantSource wallClock() {
        return InstantSource.system();
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
        return ScheduledTask.set(this, task, delayNanos);
    }

    /** Sets a timer even if its thread cannot be started now: each later timer tries again. */
    Timer scheduleAnyway(Runnable task, long delayNanos) {
        return ScheduledTask.set(Wheels.ANYWAY, task, delayNanos);
    }

    /** Whether a scheduler is that of an environment that has been closed. */
    static boolean isClosed(Scheduler scheduler) {
        return scheduler instanceof OwnThreads own && own.workers.isShutdown();
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

    /** Makes an environment with threads of its own, which end when it is closed. */
    static Environment closeable(String name) {
        OwnThreads own = new OwnThreads("-" + name);
        return new Environment.Builder(INSTANCE, own, own.workers, new PerThreadRandom(), Listener.NONE, own).build();
    }

    /** Makes threads that inherit nothing from the one that happens to need them first. */
    @SuppressWarnings("ThreadPriorityCheck") // the ordinary priority, and not that of the maker
    private static ThreadFactory daemons(String name, boolean forTimers) {
        AtomicInteger count = new AtomicInteger();
        return task -> withoutCaller(() -> {
            String numbered = name + "-" + count.incrementAndGet();
            Thread thread = forTimers
                    ? new TimerThread(rootGroup(), task, numbered, work -> Workers.EXECUTOR.execute(work))
                    : new Thread(rootGroup(), task, numbered, 0, false);
            thread.setContextClassLoader(ClassLoader.getSystemClassLoader());
            thread.setDaemon(true);
            thread.setPriority(Thread.NORM_PRIORITY);
            return thread;
        });
    }

    /**
     * Keeps the code further out on the stack, and so its class loader, out of what JDKs before 24 remember of the
     * maker of a thread.
     */
    @SuppressWarnings("removal") // without a replacement, and needless where it is removed
    private static Thread withoutCaller(PrivilegedAction<Thread> maker) {
        return AccessController.doPrivileged(maker);
    }

    private static ThreadGroup rootGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        while (group.getParent() != null) {
            group = group.getParent();
        }
        return group;
    }

    private static WheelTimers timers(String name) {
        return new WheelTimers(INSTANCE, INSTANCE, daemons("levee-timer" + name, true), stripeBits());
    }

    /** Four to eight stripes for each processor, so that two threads seldom want the same one. */
    private static int stripeBits() {
        int processors = Runtime.getRuntime().availableProcessors();
        return Math.min(Integer.SIZE - Integer.numberOfLeadingZeros(processors) + 2, MAX_STRIPE_BITS);
    }

    private static ExecutorService workers(String name) {
        // Virtual threads exist from Java 21 on; this library is compiled for 17.
        try {
            Class<?> type = Class.forName("java.lang.Thread$Builder$OfVirtual");
            Object builder = Thread.class.getMethod("ofVirtual").invoke(null);
            // Nor do these inherit anything; their context class loader is that of the system then.
            builder = type.getMethod("inheritInheritableThreadLocals", boolean.class)
                    .invoke(builder, false);
            builder = type.getMethod("name", String.class).invoke(builder, "levee-worker" + name);
            Object factory = type.getMethod("factory").invoke(builder);
            return (ExecutorService) Executors.class
                    .getMethod("newThreadPerTaskExecutor", ThreadFactory.class)
                    .invoke(null, factory);
        } catch (ReflectiveOperationException notThere) {
            return new PlatformWorkers(daemons("levee-worker" + name, false));
        }
    }

    /** The timers; started by the first one that is set. */
    private static final class Wheels {
        static final WheelTimers TIMERS = timers("");
        static final Timers ANYWAY = TIMERS.anyway();
    }

    /** The worker threads; started by the first task that is executed. */
    private static final class Workers {
        static final ExecutorService EXECUTOR = workers("");
    }

    /** Threads as they are needed. A task does not leave its context class loader to the next one. */
    private static final class PlatformWorkers extends ThreadPoolExecutor {
        PlatformWorkers(ThreadFactory threads) {
            super(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), threads);
        }

        @Override
        protected void afterExecute(Runnable task, @Nullable Throwable thrown) {
            Thread.currentThread().setContextClassLoader(ClassLoader.getSystemClassLoader());
        }
    }

    /** Timers and workers of one environment, which can be ended. */
    private static final class OwnThreads implements Scheduler, Timers, Runnable {
        final ExecutorService workers;
        private final WheelTimers timers;

        OwnThreads(String name) {
            workers = workers(name);
            timers = timers(name);
        }

        /** Ends the threads. */
        @Override
        public void run() {
            timers.close();
            workers.shutdown();
        }

        @Override
        public Object clock() {
            return INSTANCE;
        }

        @Override
        public long set(Runnable task, long nowNanos, long delayNanos) {
            return timers.set(task, nowNanos, delayNanos);
        }

        @Override
        public boolean take(long ticket, Runnable task) {
            return timers.take(ticket, task);
        }

        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            return ScheduledTask.set(this, task, delayNanos);
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            INSTANCE.sleep(nanos);
        }

        @Override
        public void park(Object blocker, long nanos) {
            INSTANCE.park(blocker, nanos);
        }

        @Override
        public String toString() {
            return "system time with own threads";
        }
    }

    /** A task and its handle in one. It is set on the wheels itself, so that it is not mistaken for another task. */
    private static final class ScheduledTask implements Runnable, Timer {
        private final Timers timers;
        private final Runnable task;
        private long ticket;

        private ScheduledTask(Timers timers, Runnable task) {
            this.timers = timers;
            this.task = task;
        }

        static ScheduledTask set(Timers timers, Runnable task, long delayNanos) {
            ScheduledTask scheduled = new ScheduledTask(timers, Require.nonNull("task", task));
            scheduled.ticket = timers.set(scheduled, INSTANCE.nanoTime(), delayNanos);
            return scheduled;
        }

        @Override
        public void run() {
            task.run();
        }

        @Override
        public boolean cancel() {
            return timers.take(ticket, this);
        }

        @Override
        public String toString() {
            return task.toString();
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
