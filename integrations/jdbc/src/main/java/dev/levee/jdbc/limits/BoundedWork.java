package dev.levee.jdbc.limits;

import dev.levee.core.Environment;
import dev.levee.core.internal.Unchecked;
import dev.levee.core.internal.parts.HandOver;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs tasks that block, in their order, some at once at most. A task must not throw. */
final class BoundedWork {
    private static final int MAX_WAITING = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(JdbcQuotaStore.class);

    private final Environment environment;
    private final boolean hasExecutor;
    private final String part;
    private final int maxRunning;
    private final ConcurrentLinkedQueue<Runnable> waiting = new ConcurrentLinkedQueue<>();

    /** Those that wait and run. */
    private final AtomicInteger tasks = new AtomicInteger();

    private final AtomicInteger running = new AtomicInteger();

    /**
     * Makes one that has no tasks.
     *
     * @param environment runs what has no executor of its own
     * @param executor runs the tasks; null for that of the environment
     * @param part whose tasks they are: kind and quoted name
     * @param maxRunning how many run at once at most
     */
    BoundedWork(Environment environment, @Nullable Executor executor, String part, int maxRunning) {
        this.hasExecutor = executor != null;
        this.environment = executor == null
                ? environment
                : environment.toBuilder().executor(executor).build();
        this.part = part;
        this.maxRunning = maxRunning;
    }

    void run(Runnable task) {
        if (tasks.incrementAndGet() > MAX_WAITING) {
            tasks.decrementAndGet();
            throw new RejectedExecutionException(MAX_WAITING + " batches wait for the database");
        }
        waiting.add(task);
        Throwable rejected = startOne();
        if (rejected != null && waiting.remove(task)) { // else another one has taken it
            tasks.decrementAndGet();
            throw Unchecked.<RuntimeException>asDeclared(rejected);
        }
    }

    /** Starts one more, if there may be more; returns why there is no thread for it, or null. */
    private @Nullable Throwable startOne() {
        int now = running.get();
        while (now < maxRunning) {
            if (running.compareAndSet(now, now + 1)) {
                Throwable rejected = start();
                if (rejected != null) {
                    running.decrementAndGet();
                }
                return rejected;
            }
            now = running.get();
        }
        return null;
    }

    private @Nullable Throwable start() {
        try {
            if (hasExecutor) {
                return HandOver.tryExecute(environment, this::work, lost -> lost(), LOG, part);
            }
            environment.handOver(this::work);
            return null;
        } catch (Throwable noMemory) {
            return noMemory;
        }
    }

    /** The executor has dropped one. */
    private void lost() {
        running.decrementAndGet();
        startAnother();
    }

    private void work() {
        try {
            for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
                tasks.decrementAndGet();
                task.run();
            }
        } finally {
            running.decrementAndGet();
            startAnother(); // for what came when this one had looked already
        }
    }

    private void startAnother() {
        if (!waiting.isEmpty()) {
            startOne(); // without a thread, those that wait go with the next task
        }
    }
}
