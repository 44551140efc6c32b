package dev.levee.core.testing;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The real threads that take part, and how the thread that drives time waits, in the machine's time, until they all wait for it.
 *
 * <p>Nobody can see whether a parked thread has been unparked and will run in a moment. So before time moves each thread that
 * parks is woken once after anything has happened: it looks at its condition, and either goes on or parks again as before.
 */
final class Crew {
    /** How long one may run before the one who drives time gives up. */
    private static final long PATIENCE = 10_000_000_000L;

    /** How long a thread that was not started here is waited for after it was woken. */
    private static final long PATIENCE_WITH_GUESTS = 1_000_000_000L;

    /**
     * A thread that is seen to block elsewhere (a future, a latch) so many times, up to a millisecond apart, is taken to stay blocked.
     * Looks, not time: on a busy machine the looks are late as well.
     */
    private static final int LOOKS_AT_BLOCKED = 50;

    private static final long FIRST_LOOK = 20_000L;
    private static final long SLOWEST_LOOK = 1_000_000L;

    /** Code that parks for a random time never parks twice alike. */
    static final int MOST_CHECKS = 1_000;

    private static final NanoClock MACHINE = Environment.system().clock();
    private static final Scheduler REAL_WAIT = Environment.system().scheduler();

    private final YieldingLock lock;

    // Guarded by lock.
    private final Map<Thread, Member> members = new LinkedHashMap<>();
    private long changes;
    private long looksSince;

    Crew(YieldingLock lock) {
        this.lock = lock;
    }

    /** Something has happened that threads may wait for. */
    void changed() {
        changes++;
    }

    Member started(Thread thread) {
        Member member = new Member(thread, true, changes);
        members.put(thread, member);
        return member;
    }

    void remove(Member member) {
        members.remove(member.thread);
    }

    /** The current thread as a member; a guest if it was not started here. */
    Member current() {
        Thread thread = Thread.currentThread();
        Member member = members.get(thread);
        if (member == null) {
            // Alone, it can rely on what it has seen; among others, something may have happened since.
            member = new Member(thread, false, members.isEmpty() ? changes : Member.STALE);
            members.put(thread, member);
        }
        return member;
    }

    /** The current thread begins to wait. */
    void waits(Member member, Agenda.Event event, @Nullable Object blocker) {
        boolean undisturbed = member.runsSince == changes;
        if (blocker != null && member.parksAgain(event, blocker)) {
            member.checkedAt = member.runsSince;
        } else {
            changes++;
            member.checkedAt = undisturbed ? changes : Member.STALE;
        }
        member.waitFor(event, blocker);
    }

    /** A thread that waits goes on. */
    void runs(Member member) {
        member.run(changes);
    }

    /** Whether a thread that parks has seen everything that has happened. */
    boolean hasSeenAll(Member member) {
        return member.checkedAt == changes;
    }

    int waiting() {
        int count = 0;
        for (Member member : members.values()) {
            if (member.waits()) {
                count++;
            }
        }
        return count;
    }

    /** Somebody who waits, rather asleep than parked. */
    @Nullable Member anyWaiting() {
        Member found = null;
        for (Member member : members.values()) {
            if (member.waits() && (found == null || found.parks())) {
                found = member;
            }
        }
        return found;
    }

    /** Another thread that parks and has not looked at its condition since something happened. */
    @Nullable Member unaware() {
        for (Member member : members.values()) {
            if (member.parks() && member.checkedAt != changes && member.thread != Thread.currentThread()) {
                return member;
            }
        }
        return null;
    }

    /**
     * Waits until all other threads wait. Called without the lock.
     *
     * @param bounded whether to fail after a while
     * @return whether there was anybody to wait for
     */
    boolean awaitQuiet(boolean bounded) {
        long begin = MACHINE.nanoTime();
        long look = FIRST_LOOK;
        boolean interrupted = false;
        restart();
        try {
            for (int looks = 0; ; looks++) {
                long spent = MACHINE.nanoTime() - begin;
                Member busy = lookForBusy(spent);
                if (busy == null) {
                    return looks > 0;
                }
                if (bounded && spent > PATIENCE) {
                    throw new IllegalStateException(
                            "time cannot move: " + describe(busy.thread) + " has not come to rest for 10 s");
                }
                interrupted |= Thread.interrupted();
                REAL_WAIT.park(this, look);
                look = Math.min(2 * look, SLOWEST_LOOK);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void restart() {
        lock.lock();
        try {
            looksSince = changes - 1;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable Member lookForBusy(long spent) {
        lock.lock();
        try {
            return busy(spent);
        } finally {
            lock.unlock();
        }
    }

    /** Another thread that runs, though one has waited so long. */
    @Nullable Member busy(long spent) {
        if (looksSince != changes) {
            looksSince = changes;
            members.values().forEach(member -> member.seenBlocked = 0);
        }
        for (Member member : List.copyOf(members.values())) {
            if (member.thread != Thread.currentThread() && isBusy(member, spent)) {
                return member;
            }
        }
        return null;
    }

    private boolean isBusy(Member member, long spent) {
        if (member.waits()) {
            return member.thread.isInterrupted(); // then it is about to go on
        }
        Thread.State state = member.thread.getState();
        boolean over = state == Thread.State.TERMINATED;
        if (over || (!member.started && spent > PATIENCE_WITH_GUESTS)) {
            members.remove(member.thread);
            return false;
        }
        if (state == Thread.State.NEW || state == Thread.State.RUNNABLE || member.ended || member.wakes) {
            member.seenBlocked = 0;
            return true;
        }
        if (++member.seenBlocked <= LOOKS_AT_BLOCKED) {
            return true;
        }
        if (!member.started) {
            members.remove(member.thread);
        }
        return false;
    }

    /** Waits in the machine's time, at most 10 s, until so many threads wait. Called without the lock. */
    void awaitWaiting(int count) {
        long begin = MACHINE.nanoTime();
        long look = FIRST_LOOK;
        boolean interrupted = false;
        try {
            while (!enoughWait(count, MACHINE.nanoTime() - begin)) {
                interrupted |= Thread.interrupted();
                REAL_WAIT.park(this, look);
                look = Math.min(2 * look, SLOWEST_LOOK);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean enoughWait(int count, long spent) {
        lock.lock();
        try {
            int waiting = waiting();
            if (waiting < count && spent > PATIENCE) {
                throw new IllegalStateException(
                        "after 10 s only " + waiting + " of " + count + " threads sleep or park; known: " + describe());
            }
            return waiting >= count;
        } finally {
            lock.unlock();
        }
    }

    private String describe() {
        List<String> threads = new ArrayList<>();
        for (Member member : members.values()) {
            threads.add(member.waits() ? "\"" + member.thread.getName() + "\" waits" : describe(member.thread));
        }
        return threads.toString();
    }

    private static String describe(Thread thread) {
        StackTraceElement[] stack = thread.getStackTrace();
        return "\"" + thread.getName() + "\" (" + thread.getState() + (stack.length == 0 ? "" : " at " + stack[0])
                + ")";
    }
}
