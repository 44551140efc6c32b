package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;

/**
 * Where policies get time, waiting, threads and randomness from, and whom they tell what they do.
 *
 * <p>Everything takes one as its last argument and uses {@link #system()} without it. Give all policies of a test the
 * environment of one {@code ManualTime}, and nothing sleeps. Immutable and thread-safe; what it holds must be thread-safe.
 *
 * @since 0.1
 */
public final class Environment {
    private final NanoClock clock;
    private final Scheduler scheduler;
    private final Executor executor;
    private final RandomGenerator random;
    private final Listener listener;

    private Environment(Builder builder) {
        clock = builder.clock;
        scheduler = builder.scheduler;
        executor = builder.executor;
        random = builder.random;
        listener = Listeners.shield(builder.listener);
    }

    /**
     * The machine's own time. One daemon thread runs timers, and daemon threads (virtual ones where the JVM has them) run work;
     * both start only when something needs them.
     *
     * <p>Timers lie on wheels whose tick is about 1 ms: a task runs up to that much after its time, never before it. Setting
     * one and taking it back is O(1), allocates only the handle, and what was taken back is forgotten at once. The thread
     * sleeps until something may be due, and for good while nothing is. It runs one task after the other: a task that takes
     * long delays all others by as long, so hand work over to the {@link #executor()}.
     *
     * @return the environment, always the same one
     */
    public static Environment system() {
        return SystemTime.ENVIRONMENT;
    }

    /**
     * Starts from {@link #system()}.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return system().toBuilder();
    }

    /**
     * Starts from this environment.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(clock, scheduler, executor, random, listener);
    }

    /**
     * What tells the time.
     *
     * @return the clock
     */
    public NanoClock clock() {
        return clock;
    }

    /**
     * What waits.
     *
     * @return the scheduler
     */
    public Scheduler scheduler() {
        return scheduler;
    }

    /**
     * What runs work that must not run on the caller's or the timer's thread.
     *
     * @return the executor
     */
    public Executor executor() {
        return executor;
    }

    /**
     * What jitter and choices are drawn from.
     *
     * @return the random generator
     */
    public RandomGenerator random() {
        return random;
    }

    /**
     * Who hears events; {@link Listener#NONE} if nobody does. What it throws stays in it.
     *
     * @return the listener
     */
    public Listener listener() {
        return listener;
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

        Builder(NanoClock clock, Scheduler scheduler, Executor executor, RandomGenerator random, Listener listener) {
            this.clock = clock;
            this.scheduler = scheduler;
            this.executor = executor;
            this.random = random;
            this.listener = listener;
        }

        /**
         * Sets what tells the time; default {@link NanoClock#system()}.
         *
         * @param value monotonic and thread-safe
         * @return this
         */
        public Builder clock(NanoClock value) {
            clock = Require.nonNull("clock", value);
            return this;
        }

        /**
         * Sets what waits; default one daemon thread for all timers.
         *
         * @param value counts in the same time as the clock
         * @return this
         */
        public Builder scheduler(Scheduler value) {
            scheduler = Require.nonNull("scheduler", value);
            return this;
        }

        /**
         * Sets what runs work; default virtual threads where the JVM has them, else daemon threads as needed.
         *
         * @param value the executor
         * @return this
         */
        public Builder executor(Executor value) {
            executor = Require.nonNull("executor", value);
            return this;
        }

        /**
         * Sets what jitter and choices are drawn from; default {@code ThreadLocalRandom}.
         *
         * @param value must be thread-safe; seed it in tests
         * @return this
         */
        public Builder random(RandomGenerator value) {
            random = Require.nonNull("random", value);
            return this;
        }

        /**
         * Sets who hears events; default {@link Listener#NONE}. For several see {@link Listener#all}.
         *
         * @param value thread-safe and not blocking
         * @return this
         */
        public Builder listener(Listener value) {
            listener = Require.nonNull("listener", value);
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
