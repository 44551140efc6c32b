package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

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
 * <p><b>By hand</b> (the default) time stands still but for {@link #advance}, which goes from event to event: it sets the clock to
 * the exact time of the next timer or wake-up, lets that one happen, and lets everything come to rest that follows from it before
 * it goes on. Whoever sleeps or parks blocks until somebody else advances; {@link #awaitSleepers} waits for such threads.
 *
 * <p><b>With {@link #autoAdvance}</b> time goes on by itself when nothing can run: a thread that sleeps moves time to the next event
 * up to its own wake-up, so that a test can call a retry on its own thread.
 *
 * <p><b>What is deterministic.</b> Timers and wake-ups happen in the order of their time, and those of one time in the order in
 * which they were scheduled. Tasks of the executor run one after the other in the order of submission. Timers and tasks run on
 * the thread that moves time. Between two events the mover waits, in the machine's time, until each thread that was {@linkplain
 * #start started} here sleeps, parks or has ended, and until each thread that was woken sleeps or parks again or has come to rest
 * elsewhere; so threads that only compute and wait here are run one after the other as far as time wakes them. Two threads that
 * were started one after the other, or woken by a lock of their own, run at the same time. A thread that blocks elsewhere (a
 * future, a latch, a monitor) looks the same as one that will run in a moment: it is given some 50 ms to move, then taken to be at rest.
 *
 * <p><b>Parked threads.</b> {@link Scheduler#park} may return for no reason, and this one does: whenever something has happened
 * (an event, a task, the beginning of an {@code advance}), each parked thread is let go once before time moves on, looks at its
 * condition and parks again. This is how no unpark is overlooked, and how code that does not look again is found out.
 *
 * <p>The clock begins at an arbitrary reading a little below zero, because no reading may mean anything by itself. Thread-safe;
 * timers and tasks run outside its locks; threads may be virtual.
 *
 * @since 0.1
 */
public final class ManualTime {
    private static final long ORIGIN = -1_000_000_000_000L;
    private static final long SEED = 0x1EFEEL;

    private final YieldingLock lock = new YieldingLock();
    private final Condition driverLeft = lock.newCondition();
    private final Random random = new Random(SEED);
    private final long origin;
    private final Environment environment;

    private volatile long now; // written under the lock
    private volatile long seed = SEED;
    private volatile boolean auto;

    // Guarded by lock.
    private final Crew crew = new Crew(lock);
    private final Agenda agenda = new Agenda();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<Throwable> taskFailures = new ArrayList<>();
    private final List<Throwable> threadFailures = new ArrayList<>();
    private int threads;

    /** The one thread that may move time and run tasks. */
    private @Nullable Thread driver;

    private int drives;
    private int advancersWaiting;

    /** Time that stands still at an arbitrary reading of the clock. */
    public ManualTime() {
        this(ORIGIN);
    }

    private ManualTime(long origin) {
        this.origin = origin;
        this.now = origin;
        NanoClock clock = new Clock();
        this.environment = Environment.builder()
                .clock(clock)
                .scheduler(new Sleeps())
                .executor(this::execute)
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
     * The environment whose clock, scheduler, executor and random generator this object drives. Its parts may be put into other
     * environments, with a listener for example, through {@link Environment#toBuilder}.
     *
     * <p>Its executor queues tasks until time is moved, and runs them on the thread that moves it. Work that blocks needs threads:
     * {@code time.environment().toBuilder().executor(time::start).build()}.
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
     * From now on time moves by itself when nothing can run.
     *
     * <p>While every started thread, and every other thread that is inside a sleep or park, waits here, one of them moves time to
     * the next event and runs it on its own thread. Time does not pass while a started thread runs. To have several threads begin
     * at one moment start them first and call this afterwards. If the only thing left is threads that wait without a limit, time
     * stands still. A thread that waits elsewhere, in {@code CompletableFuture.join} for example, does not move time: use
     * {@link #advance} for futures.
     *
     * <p>What a timer or task throws is thrown by the sleep or park that ran it.
     *
     * @return this
     */
    public ManualTime autoAdvance() {
        lock.lock();
        try {
            auto = true;
            signal();
        } finally {
            lock.unlock();
        }
        return this;
    }

    /**
     * Moves time on, event by event, as described above.
     *
     * <p>Blocks until all that follows from the events has come to rest. Called by a timer or a task it moves time there and then.
     *
     * @param duration how far; zero runs what is due now
     * @throws IllegalArgumentException if the duration is negative
     * @throws IllegalStateException if a started thread has not come to rest after 10 s of the machine's time
     * @throws RuntimeException what a timer, a task or a started thread threw, the same object (an {@code Error} likewise), after
     *     everything else that was due has run; if several threw, the first, which has the others as suppressed exceptions
     */
    public void advance(Duration duration) {
        long nanos = Nanos.of(Require.notNegative("duration", duration));
        beginDrive();
        List<Throwable> thrown = new ArrayList<>();
        try {
            long target = now + nanos;
            do {
                rest(true);
            } while (step(target, true));
        } catch (IllegalStateException restless) {
            thrown.add(restless);
        } finally {
            thrown.addAll(endDrive(true, true));
        }
        throwFirst(thrown);
    }

    /**
     * Runs queued tasks and due timers without moving time; the same as advancing by zero. A test that has released something
     * calls it to let the threads that waited for it go on and come to rest.
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
        return now;
    }

    /**
     * How far time has moved.
     *
     * @return the time since this object was made
     */
    public Duration elapsed() {
        return Duration.ofNanos(now - origin);
    }

    /**
     * How many timers wait for their time.
     *
     * @return the number of timers that have neither begun to run nor been cancelled
     */
    public int pendingTimers() {
        lock.lock();
        try {
            return agenda.timers();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many tasks wait in the executor.
     *
     * @return the number of tasks that have not begun to run
     */
    public int pendingTasks() {
        lock.lock();
        try {
            return tasks.size();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many threads wait.
     *
     * @return the number of threads inside a sleep or park
     */
    public int sleepers() {
        lock.lock();
        try {
            return crew.waiting();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Blocks, in the machine's time, until threads wait.
     *
     * @param count how many threads must at least be inside a sleep or park
     * @throws IllegalArgumentException if the count is negative
     * @throws IllegalStateException if there are not so many after 10 s; the message says what the threads do
     */
    public void awaitSleepers(int count) {
        crew.awaitWaiting(Require.range("count", count, 0, Integer.MAX_VALUE));
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
     * @param task what it does; what it throws goes to the thread's handler for uncaught exceptions, and is thrown by the next
     *     {@link #advance} as well
     * @return the thread, started
     */
    public Thread start(String name, Runnable task) {
        Require.nonNull("name", name);
        Require.nonNull("task", task);
        Thread thread;
        Member member;
        lock.lock();
        try {
            thread = new Thread(() -> work(task), name + "-" + ++threads);
            thread.setDaemon(true);
            member = crew.started(thread);
        } finally {
            lock.unlock();
        }
        boolean begun = false;
        try {
            thread.start();
            begun = true;
        } finally {
            if (!begun) {
                ended(member);
            }
        }
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

    private void work(Runnable task) {
        try {
            task.run();
        } catch (Throwable thrown) {
            lock.lock();
            try {
                threadFailures.add(thrown);
            } finally {
                lock.unlock();
            }
            throw thrown;
        } finally {
            ended(current());
        }
    }

    private Member current() {
        lock.lock();
        try {
            return crew.current();
        } finally {
            lock.unlock();
        }
    }

    private void ended(Member member) {
        lock.lock();
        try {
            member.ended = true;
            crew.changed();
            signal();
        } finally {
            lock.unlock();
        }
    }

    private void execute(Runnable task) {
        Require.nonNull("task", task);
        lock.lock();
        try {
            tasks.add(task);
            signal();
        } finally {
            lock.unlock();
        }
    }

    // Moving time: by one thread at a time, the driver. Tasks that it runs may move time themselves.

    private void beginDrive() {
        lock.lock();
        try {
            advancersWaiting++;
            while (driver != null && driver != Thread.currentThread()) {
                signal();
                driverLeft.awaitUninterruptibly();
            }
            advancersWaiting--;
            driver = Thread.currentThread();
            drives++;
            crew.changed(); // whoever advances may have released what others wait for
        } finally {
            lock.unlock();
        }
    }

    private boolean tryBeginDrive() {
        lock.lock();
        try {
            if (!auto || (driver != Thread.currentThread() && (driver != null || advancersWaiting > 0))) {
                return false;
            }
            driver = Thread.currentThread();
            drives++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    private boolean advancerWaits() {
        lock.lock();
        try {
            return advancersWaiting > 0;
        } finally {
            lock.unlock();
        }
    }

    /** Returns what was thrown meanwhile. */
    private List<Throwable> endDrive(boolean othersMayGoOn, boolean byHand) {
        lock.lock();
        try {
            if (--drives > 0) {
                return List.of();
            }
            driver = null;
            driverLeft.signal();
            if (othersMayGoOn) {
                signal();
            }
            List<Throwable> thrown = new ArrayList<>(taskFailures);
            taskFailures.clear();
            if (byHand) {
                thrown.addAll(threadFailures);
                threadFailures.clear();
            }
            return thrown;
        } finally {
            lock.unlock();
        }
    }

    /** Tells the driver, or whoever may become the driver, that there may be something to do. Under the lock. */
    private void signal() {
        if (driver != null) {
            if (driver != Thread.currentThread()) {
                LockSupport.unpark(driver);
            }
        } else if (auto && advancersWaiting == 0) {
            Member member = crew.anyWaiting();
            if (member != null) {
                LockSupport.unpark(member.thread);
            }
        }
    }

    /** Lets everything happen that can while time stands still; whether anything did. */
    private boolean rest(boolean bounded) {
        boolean happened = false;
        int checks = 0;
        while (true) {
            happened |= crew.awaitQuiet(bounded);
            Runnable task = null;
            lock.lock();
            try {
                if (crew.busy(0) != null) {
                    continue; // unparked meanwhile
                }
                Member unaware = checks++ < Crew.MOST_CHECKS ? crew.unaware() : null;
                if (unaware != null) {
                    happened = true;
                    wake(unaware);
                    continue;
                }
                task = tasks.poll();
            } finally {
                lock.unlock();
            }
            if (task == null) {
                return happened;
            }
            happened = true;
            checks = 0;
            run(task);
        }
    }

    /** Lets the next event happen at its time if it is not beyond the limit; else sets the clock to the limit. */
    private boolean step(long limit, boolean limited) {
        Agenda.Event event;
        lock.lock();
        try {
            event = agenda.next();
            if (event == null || (limited && event.due - limit > 0)) {
                if (limited && limit - now > 0) {
                    now = limit;
                }
                return false;
            }
            agenda.remove(event);
            now = event.due;
            event.over = true;
            if (event.sleeper != null && event.sleeper.waitsFor == event) {
                wake(event.sleeper);
            }
        } finally {
            lock.unlock();
        }
        if (event.task != null) {
            run(event.task);
        }
        return true;
    }

    private void run(Runnable task) {
        Throwable failure = null;
        try {
            task.run();
        } catch (Throwable thrown) {
            failure = thrown;
        }
        lock.lock();
        try {
            crew.changed();
            if (failure != null) {
                taskFailures.add(failure);
            }
        } finally {
            lock.unlock();
        }
    }

    private void wake(Member member) {
        crew.runs(member);
        if (member.thread != Thread.currentThread()) {
            member.wakes = true;
            LockSupport.unpark(member.thread);
        }
    }

    @SuppressWarnings("unchecked") // what a Runnable throws need not be declared
    private static <X extends Throwable> void throwFirst(List<Throwable> thrown) throws X {
        if (thrown.isEmpty()) {
            return;
        }
        Throwable first = thrown.get(0);
        for (Throwable other : thrown) {
            if (other != first) {
                first.addSuppressed(other);
            }
        }
        throw (X) first;
    }

    private final class Clock implements NanoClock {
        @Override
        public long nanoTime() {
            return now;
        }

        @Override
        public String toString() {
            return "manual clock";
        }
    }

    private final class Sleeps implements Scheduler {
        @Override
        public Timer schedule(Runnable task, long delayNanos) {
            Require.nonNull("task", task);
            lock.lock();
            try {
                Agenda.Event event = agenda.add(now, delayNanos, task, null);
                signal();
                return () -> cancel(event);
            } finally {
                lock.unlock();
            }
        }

        private boolean cancel(Agenda.Event event) {
            lock.lock();
            try {
                return agenda.remove(event);
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void sleep(long nanos) throws InterruptedException {
            if (nanos <= 0) {
                return;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            Stay stay = new Stay(nanos, null);
            try {
                while (!stay.isOver()) {
                    if (!stay.moveTime()) {
                        LockSupport.park(ManualTime.this);
                    }
                }
            } finally {
                stay.end();
            }
            throwFirst(stay.thrown);
            if (!stay.event.over) {
                // Only now: as long as the stay is on, the flag tells the driver that this thread is about to go on.
                Thread.interrupted();
                throw new InterruptedException();
            }
        }

        @Override
        public void park(Object blocker, long nanos) {
            Require.nonNull("blocker", blocker);
            if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
                return;
            }
            Stay stay = new Stay(nanos, blocker);
            try {
                if (!stay.moveTime()) {
                    LockSupport.park(blocker);
                }
            } finally {
                stay.end();
            }
            throwFirst(stay.thrown);
        }

        @Override
        public String toString() {
            return "manual scheduler";
        }
    }

    /** The current thread's stay in a sleep or park. */
    private final class Stay {
        final Agenda.Event event;
        private final Member member;
        // Tasks that this thread runs while it moves time may sleep in turn.
        private final Agenda.@Nullable Event outerEvent;
        private final @Nullable Object outerBlocker;
        private boolean driving;

        /** What timers and tasks threw while this thread moved time. */
        final List<Throwable> thrown = new ArrayList<>();

        Stay(long nanos, @Nullable Object blocker) {
            lock.lock();
            try {
                if (driver == Thread.currentThread() && !auto) {
                    throw new IllegalStateException(
                            "a timer or task that advance() runs must not wait: nobody else moves time;"
                                    + " give it a thread, environment().toBuilder().executor(time::start)");
                }
                member = crew.current();
                outerEvent = member.waitsFor;
                outerBlocker = member.blocker;
                event = agenda.add(now, nanos, null, member);
                crew.waits(member, event, blocker);
                signal();
            } finally {
                lock.unlock();
            }
        }

        boolean isOver() {
            return event.over || member.thread.isInterrupted();
        }

        /** If this thread may and can, lets things happen up to the next event; whether anything happened. */
        boolean moveTime() {
            if (driving && advancerWaits()) {
                endDriving(false);
            }
            if (!driving) {
                driving = tryBeginDrive();
            }
            if (!driving) {
                return false;
            }
            boolean happened = rest(false);
            if (isOver() || !hasSeenAll() || step(0, false)) {
                return true;
            }
            if (!happened) {
                endDriving(false);
            }
            return happened;
        }

        private boolean hasSeenAll() {
            lock.lock();
            try {
                return !member.parks() || crew.hasSeenAll(member);
            } finally {
                lock.unlock();
            }
        }

        private void endDriving(boolean othersMayGoOn) {
            driving = false;
            thrown.addAll(endDrive(othersMayGoOn, false));
        }

        void end() {
            lock.lock();
            try {
                agenda.remove(event);
                member.wakes = false;
                crew.runs(member);
                if (outerEvent != null && !outerEvent.over) {
                    member.waitFor(outerEvent, outerBlocker);
                }
                if (driving) {
                    endDriving(true);
                } else {
                    signal();
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
