package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The real threads that take part in manual time, and how the thread that moves time waits for them in the time of the
 * machine. Guarded by the lock of {@link VirtualTimeDriver}, but for the methods that wait.
 *
 * <p>It cannot be seen from outside whether a parked thread has been unparked and will run in a moment. So time moves
 * only when each parked thread has checked its condition since the last change: it is woken, and either runs on or
 * parks again as before.
 */
final class ParticipatingThreads {
    /** How long, in nanoseconds of the machine, a thread that was not started here is waited for after it was woken. */
    private static final long MAX_WAIT_FOR_OTHERS = 1_000_000_000L;

    /**
     * How many polls, up to a millisecond apart, must find a thread blocked elsewhere (on a future, a latch) before it
     * is taken to stay blocked. A number and not a time, because on a busy machine polls are late as well.
     */
    private static final int POLLS_OF_BLOCKED = 50;

    /**
     * After how many parks while time stands still parked threads are not woken to check any more: code that parks for
     * random times never parks as before.
     */
    private static final int MAX_PARKS = 1_000;

    private static final long FIRST_POLL_NANOS = 20_000L;
    private static final long MAX_POLL_NANOS = 1_000_000L;

    private static final NanoClock MACHINE = Environment.system().clock();
    private static final Scheduler REAL_WAIT = Environment.system().scheduler();

    private final YieldingLock lock;
    private final Duration timeout;
    private final Map<Thread, ThreadState> states = new LinkedHashMap<>();

    /** Counts everything that a parked thread may wait for. */
    private long changes;

    /** The count of changes to which {@code blockedPolls} of all threads belong. */
    private long pollsSince;

    /** How many parks have begun while time stands still. */
    private int parks;

    ParticipatingThreads(YieldingLock lock, Duration timeout) {
        this.lock = lock;
        this.timeout = timeout;
    }

    /** Begins to count parks anew, because time has moved or is about to stand still. */
    void resetParks() {
        parks = 0;
    }

    /** Records that something has happened for which threads may wait. */
    void recordChange() {
        changes++;
    }

    /** Adds a thread that is about to be started. */
    void add(Thread thread) {
        states.put(thread, new ThreadState(thread, true, changes));
    }

    void remove(Thread thread) {
        states.remove(thread);
    }

    /** Returns the state of the current thread, which is added if it was not started here. */
    ThreadState current() {
        // Alone, a thread can rely on what it has seen; among others, something may have happened since.
        return states.computeIfAbsent(
                Thread.currentThread(),
                thread -> new ThreadState(thread, false, states.isEmpty() ? changes : ThreadState.STALE));
    }

    /** Records that the current thread begins to sleep, or to park if there is a blocker. */
    void beginWait(ThreadState state, TimerQueue.ScheduledEvent event, @Nullable Object blocker) {
        if (state.parksAgain(event, blocker)) {
            state.checkedAt = state.runningSince;
        } else {
            boolean undisturbed = state.runningSince == changes;
            changes++;
            parks += blocker == null ? 0 : 1;
            state.checkedAt = undisturbed ? changes : ThreadState.STALE;
        }
        state.waitFor(event, blocker);
    }

    /** Records that a thread does not wait any more. */
    void endWait(ThreadState state) {
        state.run(changes);
    }

    /** Whether a thread has checked its condition since the last change; one that sleeps has none. */
    boolean hasChecked(ThreadState state) {
        return !state.parks() || state.checkedAt == changes;
    }

    /** Returns another parked thread that has not checked its condition since the last change, or null. */
    @Nullable ThreadState nextUnchecked() {
        if (parks > MAX_PARKS + states.size()) {
            return null;
        }
        for (ThreadState state : states.values()) {
            if (!hasChecked(state) && state.thread != Thread.currentThread()) {
                return state;
            }
        }
        return null;
    }

    /** Returns a thread that waits, preferably one that sleeps, or null. */
    @Nullable ThreadState anyWaiting() {
        ThreadState found = null;
        for (ThreadState state : states.values()) {
            if (state.waits() && (found == null || found.parks())) {
                found = state;
            }
        }
        return found;
    }

    int waitingCount() {
        return (int) states.values().stream().filter(ThreadState::waits).count();
    }

    /**
     * Returns another thread that runs, or null.
     *
     * @param spent how long the caller has waited, in nanoseconds of the machine
     */
    @Nullable ThreadState nextBusy(long spent) {
        if (pollsSince != changes) {
            pollsSince = changes;
            states.values().forEach(state -> state.blockedPolls = 0);
        }
        for (ThreadState state : List.copyOf(states.values())) {
            if (state.thread != Thread.currentThread() && isBusy(state, spent)) {
                return state;
            }
        }
        return null;
    }

    private boolean isBusy(ThreadState state, long spent) {
        if (state.waits()) {
            return state.thread.isInterrupted(); // then it is about to run on
        }
        Thread.State running = state.thread.getState();
        if (running == Thread.State.TERMINATED || (!state.started && spent > MAX_WAIT_FOR_OTHERS)) {
            forget(state);
            return false;
        }
        if (running == Thread.State.NEW || running == Thread.State.RUNNABLE || state.ended || state.wakePending) {
            state.blockedPolls = 0;
            state.blockedElsewhere = false;
            return true;
        }
        if (++state.blockedPolls <= POLLS_OF_BLOCKED) {
            return true;
        }
        if (!state.started) {
            forget(state);
        } else if (!state.blockedElsewhere) {
            state.blockedElsewhere = true;
            changes++;
        }
        return false;
    }

    /** Removes a thread. Counts as a change, because it is not known what the thread did last. */
    private void forget(ThreadState state) {
        states.remove(state.thread);
        changes++;
    }

    /**
     * Waits until all other threads wait, have ended, or are blocked elsewhere. Called without the lock.
     *
     * @param bounded whether to give up after the timeout
     * @return whether there was a thread to wait for
     */
    boolean awaitIdle(boolean bounded) {
        lock.run(() -> pollsSince = changes - 1);
        return await(spent -> lock.get(() -> {
            ThreadState busy = nextBusy(spent);
            if (busy != null && bounded && spent > timeout.toNanos()) {
                throw new IllegalStateException(
                        "time cannot move: " + describe(busy) + " has not come to rest for " + timeout);
            }
            return busy == null;
        }));
    }

    /** Waits until at least {@code count} threads wait, or gives up. Called without the lock. */
    void awaitWaiting(int count) {
        await(spent -> lock.get(() -> {
            if (waitingCount() < count && spent > timeout.toNanos()) {
                throw new IllegalStateException("after " + timeout + " only " + waitingCount() + " of " + count
                        + " threads sleep or park; known are "
                        + states.values().stream()
                                .map(ParticipatingThreads::describe)
                                .toList());
            }
            return waitingCount() >= count;
        }));
    }

    /** Polls a condition, which gets the time spent, until it holds; returns whether it did not hold at once. */
    private boolean await(LongFunction<Boolean> condition) {
        long begin = MACHINE.nanoTime();
        long pollNanos = FIRST_POLL_NANOS;
        boolean interrupted = false;
        try {
            while (!condition.apply(MACHINE.nanoTime() - begin)) {
                interrupted |= Thread.interrupted();
                REAL_WAIT.park(this, pollNanos);
                pollNanos = Math.min(2 * pollNanos, MAX_POLL_NANOS);
            }
            return pollNanos > FIRST_POLL_NANOS;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String describe(ThreadState state) {
        Thread thread = state.thread;
        if (state.waits()) {
            return "\"" + thread.getName() + "\" (waits)";
        }
        StackTraceElement[] stack = thread.getStackTrace();
        return "\"" + thread.getName() + "\" (" + thread.getState() + (stack.length == 0 ? "" : " at " + stack[0])
                + ")";
    }
}
