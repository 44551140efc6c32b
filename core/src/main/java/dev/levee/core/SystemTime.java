package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machine's clock, timers and threads: the one place of the library that asks the JDK for them. */
enum SystemTime implements NanoClock, Scheduler {
    INSTANCE;

    static final Environment ENVIRONMENT = new Environment.Builder(
                    INSTANCE, INSTANCE, task -> Workers.EXECUTOR.execute(task), new PerThreadRandom(), Listener.NONE)
            .build();

    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(Runnable task, long delayNanos) {
        Require.nonNull("task", task);
        // Not the future alone: it says that it is cancelled while the task runs already.
        AtomicBoolean begun = new AtomicBoolean();
        Future<?> future = Timers.EXECUTOR.schedule(
                () -> {
                    if (begun.compareAndSet(false, true)) {
                        run(task);
                    }
                },
                delayNanos,
                TimeUnit.NANOSECONDS);
        return () -> {
            boolean inTime = begun.compareAndSet(false, true);
            future.cancel(false);
            return inTime;
        };
    }

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable thrown) {
            LOG.warn("A timer task threw", thrown);
        }
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
            Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Started by the first timer. */
    private static final class Timers {
        static final ScheduledThreadPoolExecutor EXECUTOR = create();

        private static ScheduledThreadPoolExecutor create() {
            ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, daemons("levee-timer"));
            executor.setRemoveOnCancelPolicy(true);
            return executor;
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
