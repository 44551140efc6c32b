package dev.levee.core;

import dev.levee.core.internal.HandedTask;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.Timers;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The clock, scheduler, executor and random generator that policies use, and the listener to which they publish events.
 *
 * <p>Every factory takes one as its last argument and uses {@link #system()} without it. Give all policies of a test
 * the environment of one {@code ManualTime}, and nothing sleeps. Immutable and thread-safe; its parts must be
 * thread-safe. See ADR 12 and ADR 63.
 *
 * @since 0.1
 */
public final class Environment implements AutoCloseable {
    private final NanoClock clock;
    private final Scheduler scheduler;
    private final Executor executor;
    private final RandomGenerator random;
    private final Listener listener;
    private final InstantSource wallClock;
    private final Runnable closing;
    private final HandOverQueue handOvers;

    /** Null if there are none. */
    private final ContextCarrier @Nullable [] carriers;

    private Environment(Builder builder) {
        clock = builder.clock;
        scheduler = builder.scheduler;
        executor = builder.executor;
        random = builder.random;
        listener = Listeners.shield(builder.listener);
        wallClock = builder.wallClock;
        closing = builder.closing;
        handOvers = new HandOverQueue(clock, executor, this::alarm);
        carriers = builder.carriers;
    }

    /**
     * Returns the environment of the machine. One daemon thread runs timers, and daemon threads (virtual ones where the
     * JVM has them) run work; both start only when something needs them.
     *
     * <p>Timers lie on wheels whose tick is about 1 ms: a task runs up to that much after its time, never before it.
     * Setting or cancelling one is O(1) and allocates only the handle; a cancelled task is forgotten at once. The
     * thread sleeps until something may be due, and for good while nothing is. It runs one task after the other: a task
     * that takes long delays all others by as long, so hand work over ({@link #handOver}).
     *
     * <p>Its threads inherit nothing from the threads that need them first: no inheritable thread-locals, no priority,
     * no thread group, and their context class loader is that of the system.
     *
     * <p><b>In a container</b> that unloads applications: the timer thread lives as long as the JVM, and with it the
     * class loader of this library. If the library is the container's, that is right, and no application is held but by
     * timers of its own that are set: close balancers, sources and caches, and let calls end. If the library is part of
     * the application, use a {@link #closeable} environment for all policies and close it with the application.
     *
     * @return the environment, always the same one; {@link #close} does nothing
     */
    public static Environment system() {
        return SystemTime.ENVIRONMENT;
    }

    /**
     * Returns a new environment of the machine with threads of its own, which {@link #close} ends: for an application
     * that a container may unload, and for tests. Its clock is that of {@link #system()}, and its threads start, as
     * there, only when something needs them. Give it to every policy; one without it uses the threads of
     * {@link #system()}.
     *
     * @param name a part of the names of its threads: {@code levee-timer-NAME-1}, {@code levee-worker-NAME}
     * @return the environment
     * @throws NullPointerException if {@code name} is null
     * @throws IllegalArgumentException if {@code name} is blank
     */
    public static Environment closeable(String name) {
        return SystemTime.closeable(Require.name(name));
    }

    /**
     * Ends the threads of a {@link #closeable} environment, and of all that were made of it by {@link #toBuilder}; does
     * nothing for others, whose parts are not theirs to end. Does not block.
     *
     * <p>Close it last, when balancers, sources and caches have been closed and calls have ended. Work that runs is not
     * interrupted, and its thread ends with it. Timers that are set never run: the time of a call that is still under
     * way has no end but the one of its work. What needs a timer or a thread afterwards gets a
     * {@link java.util.concurrent.RejectedExecutionException}.
     */
    @Override
    public void close() {
        closing.run();
    }

    /**
     * Returns a builder with the parts of {@link #system()}.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return system().toBuilder();
    }

    /**
     * Returns a builder with the parts of this environment.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        Builder builder = new Builder(clock, scheduler, executor, random, listener, closing).wallClock(wallClock);
        builder.carriers = carriers;
        return builder;
    }

    /**
     * Returns the clock of all durations and deadlines.
     *
     * @return the clock
     */
    public NanoClock clock() {
        return clock;
    }

    /**
     * Returns the clock of what goes by the calendar, such as a quota for each day. It may be set ahead or back at any
     * time, so no duration and no deadline is measured with it: that is what {@link #clock} is for.
     *
     * @return the clock
     */
    public InstantSource wallClock() {
        return wallClock;
    }

    /**
     * Returns the scheduler of all delays, timers and parked threads.
     *
     * @return the scheduler
     */
    public Scheduler scheduler() {
        return scheduler;
    }

    /**
     * Returns the executor of work that must not run on the thread of a caller or of the timers.
     *
     * @return the executor
     */
    public Executor executor() {
        return executor;
    }

    /**
     * Runs what follows from a timer on the {@link #executor()}, because the thread of all timers must not run code of
     * users. For authors of policies and schedulers. A task that the executor does not take, whatever it throws, runs
     * on that of {@link #system()}, and in the last resort on this thread, because a call waits for it; one that it
     * takes and has not begun after a second runs on that of {@link #system()} too. It runs once, also if an executor
     * keeps it and throws. Tasks that come together may share a thread, but none waits for another one that blocks.
     * Does not block, unless the executor runs tasks on the thread that hands them over.
     *
     * @param task what is to run; what it throws is logged
     * @throws NullPointerException if {@code task} is null
     */
    public void handOver(Runnable task) {
        handOvers.add(Require.nonNull("task", task));
    }

    /**
     * Runs a task after a delay, as the {@link #scheduler()} does, and does not depend on it: where that throws, the
     * timers of {@link #system()} run the task. For parts that plan their own next turn (polling, health checks), which
     * would stand still for good otherwise. The task runs once, also if a scheduler keeps it and throws, and never
     * after it was cancelled, also if the scheduler throws at that: the handle never does. A timer of {@link #system()}
     * whose thread cannot be started stays set, and each later timer tries again to start it. Does not block.
     *
     * @param task short and never blocking; what it throws is logged
     * @param delayNanos the delay in nanoseconds; zero or less means as soon as possible
     * @return the handle that cancels it
     * @throws NullPointerException if {@code task} is null
     * @throws java.util.concurrent.RejectedExecutionException if this environment, or the one that it was made of, is a
     *     {@link #closeable} one and has been closed
     */
    public Scheduler.Timer schedule(Runnable task, long delayNanos) {
        HandedTask once = new HandedTask(Require.nonNull("task", task));
        try {
            Scheduler.Timer timer = scheduler.schedule(once, delayNanos);
            return scheduler instanceof Timers ? timer : shielded(timer, once);
        } catch (Throwable rejected) { // an Error too: there may be no memory for its thread
            if (SystemTime.isClosed(scheduler)) {
                throw rejected;
            }
            return once.disable() ? SystemTime.INSTANCE.scheduleAnyway(task, delayNanos) : () -> false;
        }
    }

    private static Scheduler.Timer shielded(Scheduler.Timer timer, HandedTask once) {
        return () -> once.takeBack(timer::cancel);
    }

    /** Runs a task after a delay, as {@link #schedule} does; returns what takes the timer back. */
    Runnable alarm(Runnable task, long delayNanos) {
        return schedule(task, delayNanos)::cancel;
    }

    /**
     * Returns the generator from which jitter and choices are drawn.
     *
     * @return the random generator
     */
    public RandomGenerator random() {
        return random;
    }

    /**
     * Returns the listener to which events are published, shielded: what it throws does not reach the policy.
     *
     * @return the listener; {@link Listener#NONE} if there is none
     */
    public Listener listener() {
        return listener;
    }

    /**
     * Returns whether there are carriers, so that calls take along what their threads have.
     *
     * @return false unless {@link Builder#context} has set some
     */
    public boolean carriesContext() {
        return carriers != null;
    }

    /**
     * Returns the context of the call on this thread, together with what the carriers take from the thread: what runs
     * in it by {@link CallContext#call} has both, on whatever thread. For authors of policies, once for each call that
     * may go on elsewhere, before anything of it runs; and to hand work to an executor of your own.
     *
     * <pre>{@code
     * CallContext context = environment.capture();
     * executor.execute(() -> context.run(() -> audit(order)));
     * }</pre>
     *
     * @return {@link CallContext#current()} if there are no carriers
     */
    public CallContext capture() {
        ContextCarrier[] present = carriers;
        CallContext current = CallContext.current();
        return present == null ? current : current.withCarried(new CarriedContext(present));
    }

    /**
     * Returns a task that runs with what the carriers take from this thread now, and otherwise in the context of the
     * thread that runs it: for work that is done because of a call and is no part of it, such as the load of a value
     * that several calls wait for.
     *
     * @param task the task
     * @return a wrapper; the task itself if there are no carriers
     * @throws NullPointerException if {@code task} is null
     */
    public Runnable carry(Runnable task) {
        Require.nonNull("task", task);
        ContextCarrier[] present = carriers;
        return present == null ? task : new CarriedContext(present).carry(task);
    }

    /**
     * Sets the parts of an {@link Environment}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private NanoClock clock;
        private Scheduler scheduler;
        private Executor executor;
        private RandomGenerator random;
        private Listener listener;
        private InstantSource wallClock = SystemTime.wallClock();
        private ContextCarrier @Nullable [] carriers;
        private final Runnable closing;

        Builder(
                NanoClock clock,
                Scheduler scheduler,
                Executor executor,
                RandomGenerator random,
                Listener listener,
                Runnable closing) {
            this.clock = clock;
            this.scheduler = scheduler;
            this.executor = executor;
            this.random = random;
            this.listener = listener;
            this.closing = closing;
        }

        /**
         * Sets the clock of all durations and deadlines. Default: {@link NanoClock#system()}.
         *
         * @param value monotonic and thread-safe
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder clock(NanoClock value) {
            clock = Require.nonNull("clock", value);
            return this;
        }

        /**
         * Sets the scheduler of all delays, timers and parked threads. Default: one daemon thread for all timers.
         *
         * @param value counts in the same time as the clock
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder scheduler(Scheduler value) {
            scheduler = Require.nonNull("scheduler", value);
            return this;
        }

        /**
         * Sets the executor of work. Default: virtual threads where the JVM has them, else daemon threads as needed.
         *
         * <p>It must run each task that it takes, or throw. Calls, their permits and their ends wait for what it has
         * taken: one that drops tasks without a word leaves them waiting. What it runs on the thread that hands it over
         * blocks that thread, but never the one of the timers: what follows from a timer goes to the executor of
         * {@link #system()} then.
         *
         * @param value the executor
         * @return this
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is a {@code ThreadPoolExecutor} whose policy is to discard tasks
         */
        public Builder executor(Executor value) {
            if (Require.nonNull("executor", value) instanceof ThreadPoolExecutor pool
                    && (pool.getRejectedExecutionHandler() instanceof ThreadPoolExecutor.DiscardPolicy
                            || pool.getRejectedExecutionHandler() instanceof ThreadPoolExecutor.DiscardOldestPolicy)) {
                throw new IllegalArgumentException("executor must not discard tasks, for which calls wait, but its"
                        + " policy is "
                        + pool.getRejectedExecutionHandler().getClass().getSimpleName()
                        + "; take AbortPolicy, then calls are refused");
            }
            executor = value;
            return this;
        }

        /**
         * Sets the generator from which jitter and choices are drawn. Default: {@code ThreadLocalRandom}.
         *
         * @param value must be thread-safe; seed it in tests
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder random(RandomGenerator value) {
            random = Require.nonNull("random", value);
            return this;
        }

        /**
         * Sets the listener to which events are published. Default: {@link Listener#NONE}. For several listeners see
         * {@link Listener#all}.
         *
         * @param value thread-safe and not blocking
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder listener(Listener value) {
            listener = Require.nonNull("listener", value);
            return this;
        }

        /**
         * Sets the clock of what goes by the calendar, see {@link Environment#wallClock}. Default: that of the machine.
         *
         * @param value thread-safe and not blocking
         * @return this
         * @throws NullPointerException if {@code value} is null
         */
        public Builder wallClock(InstantSource value) {
            wallClock = Require.nonNull("wallClock", value);
            return this;
        }

        /**
         * Sets what goes with a call from thread to thread, in place of what was set before. Default: the
         * {@link CallContext} alone. Give this environment to all policies of a pipeline, to caches and queues. What
         * belongs to no call (health checks, discovery, writes behind) runs with nothing of it.
         *
         * @param values restored in this order, and closed in the reverse one; none switches it off
         * @return this
         * @throws NullPointerException if {@code values} is null or contains null
         */
        public Builder context(ContextCarrier... values) {
            ContextCarrier[] copy = Require.nonNull("values", values).clone();
            for (ContextCarrier value : copy) {
                Require.nonNull("carrier", value);
            }
            carriers = copy.length == 0 ? null : copy;
            return this;
        }

        /**
         * Makes the environment.
         *
         * @return the environment
         */
        public Environment build() {
            return new Environment(this);
        }
    }
}
