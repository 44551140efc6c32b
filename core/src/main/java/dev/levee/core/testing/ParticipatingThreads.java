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
 * The real threads that take part, and how the one who moves time waits for them in the machine's time. Guarded by the
 * lock of {@link VirtualTimeDriver}, but for the methods that wait.
 *
 * <p>Nobody can see whether a parked thread has been unparked and will run in a moment. So time moves only when each
 * thread that parks has found, after the last change, that it must park: it is woken, and either goes on or parks again
 * as before.
 */
final class ParticipatingThreads {
    /** How long, in nanoseconds of the machine, a guest is waited for after it was woken. */
    private static final long PATIENCE_WITH_GUESTS = 1_000_000_000L;

    /**
     * A thread that is seen to block elsewhere (a future, a latch) so many times, up to a millisecond apart, is taken
     * to stay blocked. Looks, not time: on a busy machine the looks are late as well.
     */
    private static final int LOOKS_AT_BLOCKED = 50;

    /**
     * Code that parks for random times never parks twice alike; so many parks while time stands still are not looked
     * after.
     */
    private static final int MAX_PARKS = 1_000;

    private static final long FIRST_LOOK = 20_000L;
    private static final long SLOWEST_LOOK = 1_000_000L;

    private static final NanoClock MACHINE = Environment.system().clock();
    private static final Scheduler REAL_WAIT = Environment.system().scheduler();

    private final YieldingLock lock;
    private final Duration patience;
    private final Map<Thread, ThreadState> members = new LinkedHashMap<>();
    private long changes;
    private long looksSince;
    private int parks;

    ParticipatingThreads(YieldingLock lock, Duration patience) {
        this.lock = lock;
        this.patience = patience;
    }

    /** Time stands still for a while. */
    void beginsToRest() {
        parks = 0;
    }

    /** Something has happened that threads may wait for. */
    void changed() {
        changes++;
    }

    /** A thread that is about to be started takes part. */
    void enlist(Thread thread) {
        members.put(thread, new ThreadState(thread, true, changes));
    }

    void dismiss(Thread thread) {
        members.remove(thread);
    }

    /** The current thread; a guest if it was not started here. */
    ThreadState current() {
        // Alone, a guest can rely on what it has seen; among others, something may have happened since.
        return members.computeIfAbsent(
                Thread.currentThread(),
                thread -> new ThreadState(thread, false, members.isEmpty() ? changes : ThreadState.STALE));
    }

    /** The current thread begins to sleep, or to park. */
    void waits(ThreadState member, TimerQueue.Event event, @Nullable Object blocker) {
        if (member.parksAgain(event, blocker)) {
            member.checkedAt = member.runsSince;
        } else {
            boolean undisturbed = member.runsSince == changes;
            changes++;
            parks += blocker == null ? 0 : 1;
            member.checkedAt = undisturbed ? changes : ThreadState.STALE;
        }
        member.waitFor(event, blocker);
    }

    /** A thread that waits goes on. */
    void runs(ThreadState member) {
        member.run(changes);
    }

    /** Whether a thread has looked at what it parks for since the last change; one that sleeps need not. */
    boolean isAware(ThreadState member) {
        return !member.parks() || member.checkedAt == changes;
    }

    /** Another thread that parks and has not looked at its condition since the last change. */
    @Nullable ThreadState unaware() {
        if (parks > MAX_PARKS + members.size()) {
            return null;
        }
        for (ThreadState member : members.values()) {
            if (!isAware(member) && member.thread != Thread.currentThread()) {
                return member;
            }
        }
        return null;
    }

    /** Somebody who waits, rather asleep than parked. */
    @Nullable ThreadState anyWaiting() {
        ThreadState found = null;
        for (ThreadState member : members.values()) {
            if (member.waits() && (found == null || found.parks())) {
                found = member;
            }
        }
        return found;
    }

    int waiting() {
        return (int) members.values().stream().filter(ThreadState::waits).count();
    }

    /**
     * Another thread that runs.
     *
     * @param spent how long it has been waited for
     */
    @Nullable ThreadState busy(long spent) {
        if (looksSince != changes) {
            looksSince = changes;
            members.values().forEach(member -> member.seenBlocked = 0);
        }
        for (ThreadState member : List.copyOf(members.values())) {
            if (member.thread != Thread.currentThread() && isBusy(member, spent)) {
                return member;
            }
        }
        return null;
    }

    private boolean isBusy(ThreadState member, long spent) {
        if (member.waits()) {
            return member.thread.isInterrupted(); // then it is about to go on
        }
        Thread.State state = member.thread.getState();
        if (state == Thread.State.TERMINATED || (!member.started && spent > PATIENCE_WITH_GUESTS)) {
            leaves(member);
            return false;
        }
        if (state == Thread.State.NEW || state == Thread.State.RUNNABLE || member.ended || member.wakes) {
            member.seenBlocked = 0;
            member.restsElsewhere = false;
            return true;
        }
        if (++member.seenBlocked <= LOOKS_AT_BLOCKED) {
            return true;
        }
        if (!member.started) {
            leaves(member);
        } else if (!member.restsElsewhere) {
            member.restsElsewhere = true;
            changes++;
        }
        return false;
    }

    /** Nobody knows what it did before it went. */
    private void leaves(ThreadState member) {
        members.remove(member.thread);
        changes++;
    }

    /**
     * Waits until all other threads wait or have come to rest elsewhere. Called without the lock.
     *
     * @param bounded whether to give up after a while
     * @return whether there was anybody to wait for
     */
    boolean awaitQuiet(boolean bounded) {
        lock.run(() -> looksSince = changes - 1);
        return await(spent -> lock.get(() -> {
            ThreadState busy = busy(spent);
            if (busy != null && bounded && spent > patience.toNanos()) {
                throw new IllegalStateException(
                        "time cannot move: " + describe(busy) + " has not come to rest for " + patience);
            }
            return busy == null;
        }));
    }

    /** Waits until so many threads wait, or gives up. Called without the lock. */
    void awaitWaiting(int count) {
        await(spent -> lock.get(() -> {
            if (waiting() < count && spent > patience.toNanos()) {
                throw new IllegalStateException("after " + patience + " only " + waiting() + " of " + count
                        + " threads sleep or park; known are "
                        + members.values().stream()
                                .map(ParticipatingThreads::describe)
                                .toList());
            }
            return waiting() >= count;
        }));
    }

    /** Waits until a condition holds that is asked with the time spent; whether it did not hold at once. */
    private boolean await(LongFunction<Boolean> condition) {
        long begin = MACHINE.nanoTime();
        long look = FIRST_LOOK;
        boolean interrupted = false;
        try {
            while (!condition.apply(MACHINE.nanoTime() - begin)) {
                interrupted |= Thread.interrupted();
                REAL_WAIT.park(this, look);
                look = Math.min(2 * look, SLOWEST_LOOK);
            }
            return look > FIRST_LOOK;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String describe(ThreadState member) {
        Thread thread = member.thread;
        if (member.waits()) {
            return "\"" + thread.getName() + "\" (waits)";
        }
        StackTraceElement[] stack = thread.getStackTrace();
        return "\"" + thread.getName() + "\" (" + thread.getState() + (stack.length == 0 ? "" : " at " + stack[0])
                + ")";
    }
}
