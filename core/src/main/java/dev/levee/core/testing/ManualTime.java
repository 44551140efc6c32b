package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Time that a test moves by hand: clock, sleeps, parked threads, timers, executor and randomness from one object.
 *
 * <pre>{@code
 * ManualTime time = new ManualTime();
 * CircuitBreaker breaker = CircuitBreaker.of("payments", config, time.environment());
 * ...
 * time.advance(Duration.ofSeconds(30)); // nothing slept, and the breaker is half-open
 * }</pre>
 *
 * <p><b>By hand</b> (the default) only {@link #advance} moves time. It goes from event to event: it sets the clock to
 * the exact time of the next timer or wake-up, lets that one happen, and waits until everything that follows from it
 * has happened before it takes the next one. A thread that sleeps or parks blocks until another one advances;
 * {@link #awaitSleepers} waits for such threads.
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
 *   <li>Before the next event the thread that moves time waits, in the time of the machine, for the real threads: for
 *       those that were {@linkplain #start(Runnable) started} here until they sleep, park or have ended; for others
 *       that were woken until they sleep or park again, have ended or block elsewhere, at most 1 s.
 *   <li>A thread that blocks elsewhere (on a future, a latch, a monitor) cannot be told from one that will run in a
 *       moment. After about 50 ms it is taken to stay blocked, so each event is that slow while there is such a thread,
 *       and on a machine that makes it wait longer the order may differ. Threads that wait only by sleep and park are
 *       exact and quick.
 *   <li>What threads do at the same moment is not deterministic: two that were started one after the other, or that one
 *       event released through a lock of their own, run in parallel.
 * </ul>
 *
 * <p><b>Parked threads.</b> {@link Scheduler#park} may return spuriously, and here it does: before time moves, after
 * anything has happened (an event, a task, another thread has run, the beginning of an {@code advance}), each parked
 * thread is woken to check its condition; it parks again or runs on. So no unpark is overlooked, and a test finds code
 * that does not check again. It costs a switch of threads, some 20 µs, for each parked thread and event.
 *
 * <p>The clock begins at a reading below zero, because no reading may mean anything by itself. Thread-safe; timers and
 * tasks run outside its locks; threads may be virtual. Make a new one for each test. See ADR 12.
 *
 * @since 0.1
 */
public final class ManualTime {
    private static final long ORIGIN = -1_000_000_000_000L;
    private static final long SEED = 0x1EFEEL;
    private static final Instant WALL_ORIGIN = Instant.parse("2026-01-01T00:00:00Z");

    private final VirtualTimeDriver driver;
    private final long origin;
    private final Random random = new Random(SEED);
    private final AtomicInteger threadNumbers = new AtomicInteger();
    private final Environment environment;
    private volatile long seed = SEED;

    /** Makes a time that stands still at an arbitrary reading of the clock. */
    public ManualTime() {
        this(ORIGIN);
    }

    private ManualTime(long origin) {
        this.driver = new VirtualTimeDriver(origin);
        this.origin = origin;
        this.environment = Environment.builder()
                .clock(driver.clock)
                .scheduler(new ManualScheduler(driver))
                .executor(driver::execute)
                .random(random)
                .wallClock(() -> WALL_ORIGIN.plus(elapsed()))
                .build();
    }

    /**
     * Returns a time that stands still at a given reading of the clock.
     *
     * @param originNanos any value; near {@code Long.MAX_VALUE} the clock wraps in the test as it may in production
     * @return the time
     */
    public static ManualTime startingAt(long originNanos) {
        return new ManualTime(originNanos);
    }

    /**
     * Returns the environment whose clock, scheduler, executor and random generator this object drives. Its wall clock
     * goes with its clock, from 2026-01-01T00:00Z on. Its parts may be put into other environments, with a listener for
     * example, through {@link Environment#toBuilder}.
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
     * Seeds the random generator. Default: a constant, so that a test that fails fails again.
     *
     * @param value the seed
     * @return this
     */
    public ManualTime seed(long value) {
        seed = value;
        random.setSeed(value);
        return this;
    }

    /**
     * Makes time move by itself when nothing can run; {@link #advance} works as before.
     *
     * <p>While threads wait in a sleep or park and none runs that was started here, one of the waiting threads moves
     * time to the next event and runs it on its own stack. To have several threads begin at one moment start them first
     * and call this afterwards. A thread that waits elsewhere, in {@code CompletableFuture.join} for example, does not
     * move time: use {@link #advance} for futures. If only waits without a limit are left, time stands still and they
     * wait.
     *
     * <p>A timer or task that is run by a sleep may sleep in turn; the outer sleep then ends late, as it would on a
     * thread that is busy. What timers and tasks throw is thrown by the sleep or park that ran them, when it is over.
     *
     * @return this
     */
    public ManualTime autoAdvance() {
        driver.autoAdvance();
        return this;
    }

    /**
     * Moves time forward, event by event.
     *
     * <p>Blocks until everything that follows has happened. A timer or task may call it, and moves time at once; it
     * must not sleep or park, which throws {@code IllegalStateException} unless time moves by itself.
     *
     * @param duration how far; zero runs what is due now, and 146 years is the maximum
     * @throws NullPointerException if {@code duration} is null
     * @throws IllegalArgumentException if the duration is negative
     * @throws IllegalStateException if a started thread is still running after 10 s of the machine's time
     * @throws RuntimeException what a timer, a task or a started thread threw, the same object (an {@code Error}
     *     likewise), after everything else that was due has run; if several threw, the first, which has the others as
     *     suppressed exceptions
     */
    public void advance(Duration duration) {
        driver.advance(Nanos.of(Require.notNegative("duration", duration)));
    }

    /**
     * Runs queued tasks and due timers without moving time; the same as advancing by zero. A test that has released
     * something calls it to let the threads that waited for it run until they wait again or have ended.
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
        return driver.now();
    }

    /**
     * Returns how far time has moved.
     *
     * @return the time since this object was made
     */
    public Duration elapsed() {
        return Duration.ofNanos(nanoTime() - origin);
    }

    /**
     * Returns how many timers are set.
     *
     * @return the number of timers that have neither begun to run nor been cancelled
     */
    public int pendingTimers() {
        return driver.lock.get(driver.timerQueue::timers);
    }

    /**
     * Returns how many tasks wait in the executor.
     *
     * @return the number of tasks that have not begun to run
     */
    public int pendingTasks() {
        return driver.pendingTasks();
    }

    /**
     * Returns how many threads wait.
     *
     * @return the number of threads inside a sleep or park
     */
    public int sleepers() {
        return driver.lock.get(driver.threads::waitingCount);
    }

    /**
     * Blocks, in the time of the machine, until threads wait.
     *
     * @param count how many threads must at least be inside a sleep or park
     * @throws IllegalArgumentException if the count is negative
     * @throws IllegalStateException if there are fewer after 10 s; the message says what the threads do
     */
    public void awaitSleepers(int count) {
        driver.threads.awaitWaiting(Require.range("count", count, 0, Integer.MAX_VALUE));
    }

    /**
     * Starts a daemon thread that takes part in this time; see {@link #start(String, Runnable)}.
     *
     * @param task the work of the thread
     * @return the thread, started
     * @throws NullPointerException if {@code task} is null
     */
    public Thread start(Runnable task) {
        return start("manual-time", task);
    }

    /**
     * Starts a daemon thread that takes part in this time: until it ends time moves only when it sleeps or parks.
     *
     * @param name the beginning of the thread's name
     * @param task the work of the thread; what it throws goes to the thread's handler for uncaught exceptions, and is
     *     thrown by the next {@link #advance} as well
     * @return the thread, started
     * @throws NullPointerException if {@code name} or {@code task} is null
     */
    public Thread start(String name, Runnable task) {
        Require.nonNull("name", name);
        Require.nonNull("task", task);
        Thread thread = new Thread(() -> driver.runStarted(task), name + "-" + threadNumbers.incrementAndGet());
        thread.setDaemon(true);
        driver.start(thread);
        return thread;
    }

    /**
     * Returns the time that has passed, what is pending, and the seed.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return "manual time +" + elapsed() + " [" + pendingTimers() + " timers, " + pendingTasks() + " tasks, "
                + sleepers() + " sleepers, seed " + seed + "]";
    }
}
