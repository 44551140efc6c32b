package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Time that a test moves by hand: clock, sleeps, parked threads, timers, executor and randomness from one object.
 *
 * <pre>{@code
 * ManualTime time = new ManualTime();
 * CircuitBreaker breaker = CircuitBreaker.of("payments", config, time.environment());
 * ...
 * time.advance(Duration.ofSeconds(30));                    // nothing slept, and the breaker is half-open
 * }</pre>
 *
 * <p><b>By hand</b> (the default) only {@link #advance} moves time. It goes from event to event: it sets the clock to
 * the exact time of the next timer or wake-up, lets that one happen, and lets everything that follows from it come to
 * rest before it goes on. A thread that sleeps or parks blocks until another one advances; {@link #awaitSleepers} waits
 * for such threads.
 *
 * <p><b>By itself</b>, after {@link #autoAdvance}, time also moves when nothing can run: a thread that sleeps moves it
 * to the next event, up to its own wake-up. So a test can call a retry on its own thread.
 *
 * <p><b>What is deterministic</b>
 *
 * <ul>
 *   <li>Timers and wake-ups happen one by one in the order of their time, and those of one time in the order in which
 *       they were scheduled. Tasks of the executor run one by one in the order of submission, before the next event.
 *       Timers and tasks run on the thread that moves time.
 *   <li>Before the next event whoever moves time waits, in the machine's time, for the real threads: for those that
 *       were {@linkplain #start(Runnable) started} here until they sleep, park or have ended; for others that were
 *       woken until they sleep or park again, have ended or block elsewhere, at most 1 s.
 *   <li>A thread that blocks elsewhere (a future, a latch, a monitor) looks just like one that will run in a moment. It
 *       is given about 50 ms to move and is then taken to be at rest, so each event is that slow while such a thread is
 *       about, and on a machine that makes it wait longer the order may differ. Threads that wait only by sleep and
 *       park are exact and quick.
 *   <li>Not deterministic is what threads do at the same moment: two that were started one after the other, or that one
 *       event released through a lock of their own, run in parallel.
 * </ul>
 *
 * <p><b>Parked threads.</b> {@link Scheduler#park} may return for no reason, and here it does: before time moves on,
 * after anything has happened (an event, a task, another thread's turn, the beginning of an {@code advance}), each
 * parked thread is let go to look at its condition; it parks again or goes on. So no unpark is overlooked, and code
 * that does not look again is found out. It costs a switch of threads, some 20 µs, for each parked thread and event.
 *
 * <p>The clock begins at a reading below zero, because no reading may mean anything by itself. Thread-safe; timers and
 * tasks run outside its locks; threads may be virtual. Make a new one for each test.
 *
 * @since 0.1
 */
public final class ManualTime {
    private static final long ORIGIN = -1_000_000_000_000L;
    private static final long SEED = 0x1EFEEL;

    private final VirtualTimeDriver engine;
    private final long origin;
    private final Random random = new Random(SEED);
    private final AtomicInteger threads = new AtomicInteger();
    private final Environment environment;
    private volatile long seed = SEED;

    /** Time that stands still at an arbitrary reading of the clock. */
    public ManualTime() {
        this(ORIGIN);
    }

    private ManualTime(long origin) {
        this.engine = new VirtualTimeDriver(origin);
        this.origin = origin;
        this.environment = Environment.builder()
                .clock(engine.clock)
                .scheduler(new ManualScheduler(engine))
                .executor(engine::execute)
                .random(random)
                .build();
    }

    /**
     * Time that stands still at a given reading of the clock.
     *
     * @param originNanos any value; near {@code Long.MAX_VALUE} the clock wraps in the test as it may in production
     * @return the time
     */
    public static ManualTime startingAt(long originNanos) {
        return new ManualTime(originNanos);
    }

    /**
     * The environment whose clock, scheduler, executor and random generator this object drives. Its parts may be put
     * into other environments, with a listener for example, through {@link Environment#toBuilder}.
     *
     * <p>Its executor queues tasks until time is moved, and runs them on the thread that moves it. Work that blocks
     * needs threads: {@code time.environment().toBuilder().executor(time::start).build()}.
     *
     * @return always the same one; it has no listener
     */
    public Environment environment() {
        return environment;
    }

    /**
     * Begins the sequence of the random generator anew.
     *
     * @param value which sequence; a constant unless this is called, so that tests repeat themselves
     * @return this
     */
    public ManualTime seed(long value) {
        seed = value;
        random.setSeed(value);
        return this;
    }

    /**
     * From now on time moves by itself when nothing can run; {@link #advance} works as before.
     *
     * <p>While threads wait in a sleep or park and none runs that was started here, one of those who wait moves time to
     * the next event and runs it on its own stack. To have several threads begin at one moment start them first and
     * call this afterwards. A thread that waits elsewhere, in {@code CompletableFuture.join} for example, moves nothing:
     * use {@link #advance} for futures. If nothing is left but waits without a limit, time stands still and they wait.
     *
     * <p>A timer or task that is run by a sleep may sleep in turn; the outer sleep then ends late, as it would on a
     * thread that is busy. What timers and tasks throw is thrown by the sleep or park that ran them, when it is over.
     *
     * @return this
     */
    public ManualTime autoAdvance() {
        engine.autoAdvance();
        return this;
    }

    /**
     * Moves time on, event by event.
     *
     * <p>Blocks until everything that follows has come to rest. A timer or task may call it and moves time there and
     * then; it must not sleep or park, which throws {@code IllegalStateException} unless time moves by itself.
     *
     * @param duration how far; zero runs what is due now, and 146 years is the most
     * @throws IllegalArgumentException if the duration is negative
     * @throws IllegalStateException if a started thread has not come to rest after 10 s of the machine's time
     * @throws RuntimeException what a timer, a task or a started thread threw, the same object (an {@code Error}
     *     likewise), after everything else that was due has run; if several threw, the first, which has the others as
     *     suppressed exceptions
     */
    public void advance(Duration duration) {
        engine.advance(Nanos.of(Require.notNegative("duration", duration)));
    }

    /**
     * Runs queued tasks and due timers without moving time; the same as advancing by zero. A test that has released
     * something calls it to let the threads that waited for it go on and come to rest.
     *
     * @throws IllegalStateException as {@link #advance} does
     * @throws RuntimeException as {@link #advance} does
     */
    public void runReady() {
        advance(Duration.ZERO);
    }

    /**
     * Reads the clock.
     *
     * @return nanoseconds since an arbitrary moment; may be negative and may wrap
     */
    public long nanoTime() {
        return engine.now();
    }

    /**
     * How far time has moved.
     *
     * @return the time since this object was made
     */
    public Duration elapsed() {
        return Duration.ofNanos(nanoTime() - origin);
    }

    /**
     * How many timers wait for their time.
     *
     * @return the number of timers that have neither begun to run nor been cancelled
     */
    public int pendingTimers() {
        return engine.lock.get(engine.agenda::timers);
    }

    /**
     * How many tasks wait in the executor.
     *
     * @return the number of tasks that have not begun to run
     */
    public int pendingTasks() {
        return engine.queued();
    }

    /**
     * How many threads wait.
     *
     * @return the number of threads inside a sleep or park
     */
    public int sleepers() {
        return engine.lock.get(engine.crew::waiting);
    }

    /**
     * Blocks, in the machine's time, until threads wait.
     *
     * @param count how many threads must at least be inside a sleep or park
     * @throws IllegalArgumentException if the count is negative
     * @throws IllegalStateException if there are not so many after 10 s; the message says what the threads do
     */
    public void awaitSleepers(int count) {
        engine.crew.awaitWaiting(Require.range("count", count, 0, Integer.MAX_VALUE));
    }

    /**
     * Starts a daemon thread that takes part in this time; see {@link #start(String, Runnable)}.
     *
     * @param task what it does
     * @return the thread, started
     */
    public Thread start(Runnable task) {
        return start("manual-time", task);
    }

    /**
     * Starts a daemon thread that takes part in this time: until it ends time moves only when it sleeps or parks.
     *
     * @param name the beginning of the thread's name
     * @param task what it does; what it throws goes to the thread's handler for uncaught exceptions, and is thrown by
     *     the next {@link #advance} as well
     * @return the thread, started
     */
    public Thread start(String name, Runnable task) {
        Require.nonNull("name", name);
        Require.nonNull("task", task);
        Thread thread = new Thread(() -> engine.work(task), name + "-" + threads.incrementAndGet());
        thread.setDaemon(true);
        engine.start(thread);
        return thread;
    }

    /**
     * The time that has passed, what is pending, and the seed.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return "manual time +" + elapsed() + " [" + pendingTimers() + " timers, " + pendingTasks() + " tasks, "
                + sleepers() + " sleepers, seed " + seed + "]";
    }
}
