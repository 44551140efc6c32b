package dev.levee.ratelimit.work;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of items that are not simply taken and done: those that wait for an attempt, stand behind another one of
 * their key, are dead, or are given back. All but the methods that say otherwise need the lock; none calls code of the
 * user but {@code equals} of keys, shielded.
 *
 * <p><b>Invariant</b>, whenever the lock is held and no thread is between two neighbouring instructions of taking or
 * ending an item: what was accepted (in the ring, and by callers that handle their item) is what waits in the ring,
 * what waits here ({@link #waiting}), what is in slots, and what has ended; and what has ended is what is done, dead or
 * returned. An item leaves its slot and is counted in one go, either under the lock or without waiting for it.
 *
 * @param <T> the items
 */
final class WorkBook<T> {
    final ReentrantLock lock = new ReentrantLock();
    final WorkRing ring;
    final DeadLetterBox<T> letters;
    final WorkList<WorkEntry<T>> backoff = new WorkList<>();
    private final WorkList<WorkEntry<T>> ready = new WorkList<>();

    /** Entries that are ready for their callers. */
    private final WorkList<WorkEntry<T>> callersReady = new WorkList<>();

    private final @Nullable Map<WorkLane<T>, WorkLane<T>> lanes;

    /** Ready entries; read without the lock. */
    private volatile int readyCount;

    /** Entries that are in their backoff, ready, or behind another one. */
    private int waiting;

    /** Items that are handled by their callers, beyond the capacity. */
    private long callersAccepted;

    private long callersEnded;
    private long dead;
    private long returned;

    /** Set by the first close, and then only to an earlier time. */
    private boolean closing;

    private boolean closesEver;
    private long closeNanos;

    /** What was given back so far. */
    private final List<WorkEntry<T>> returns = new ArrayList<>();

    /** Whether nothing is begun any more; read without the lock. */
    private volatile boolean stopped;

    WorkBook(WorkRing ring, WorkQueueConfig<T> config) {
        this.ring = ring;
        this.letters = new DeadLetterBox<>(config.maxDeadLetters());
        this.lanes = config.order() == null ? null : new HashMap<>();
    }

    /** Reads or changes something under the lock. */
    <V> V locked(Supplier<V> access) {
        lock.lock();
        try {
            return access.get();
        } finally {
            lock.unlock();
        }
    }

    /** Whether items are only taken under the lock. Needs no lock. */
    boolean isNeeded() {
        return lanes != null || readyCount != 0;
    }

    /** Whether something waits that a worker could take, or put behind another one. Needs no lock. */
    boolean hasWork() {
        return !stopped && (readyCount != 0 || ring.waiting() > 0);
    }

    boolean isStopped() {
        return stopped;
    }

    /** Moves the next item that may be begun into a slot. */
    boolean next(WorkSlot slot, WorkAttempts<T> attempts) {
        if (stopped) {
            return false;
        }
        WorkEntry<T> entry = ready.pollFirst();
        if (entry != null) {
            readyCount = ready.size();
            begin(entry, slot);
            return true;
        }
        while (ring.poll(slot)) {
            if (lanes == null || enter(slot, lanes, attempts)) {
                return true;
            }
        }
        return false;
    }

    /** An entry that waited here is handled now. */
    void begin(WorkEntry<T> entry, WorkSlot slot) {
        callersReady.remove(entry);
        waiting--;
        entry.state = WorkEntry.RUNNING;
        slot.hold(entry, entry.position, entry.acceptedNanos);
    }

    /** Returns whether it is the turn of the item in a slot; else it was taken out of it, and waits. */
    @SuppressWarnings("unchecked") // with an order all items have entries
    private boolean enter(WorkSlot slot, Map<WorkLane<T>, WorkLane<T>> table, WorkAttempts<T> attempts) {
        WorkEntry<T> entry = (WorkEntry<T>) slot.taken();
        entry.position = slot.position();
        entry.acceptedNanos = slot.acceptedNanos();
        WorkLane<T> before;
        try {
            before = table.putIfAbsent(entry.lane, entry.lane);
        } catch (Throwable noMemory) {
            entry.lane = null;
            slot.clear();
            entry.failed(attempts.nowNanos(), entry.verdict, noMemory, true);
            bury(entry);
            return false;
        }
        if (before == null) {
            return true;
        }
        entry.lane = before;
        slot.clear();
        waiting++;
        entry.state = WorkEntry.BEHIND;
        if (before.returned) {
            giveBack(entry);
        } else {
            before.add(entry);
        }
        return false;
    }

    /**
     * Accepts an item that its caller handles, beyond the capacity: if its key has no other items, neither here nor in
     * the ring.
     */
    boolean enterCaller(WorkEntry<T> entry, WorkSlot spare, WorkAttempts<T> attempts) {
        if (lanes != null) {
            while (ring.poll(spare)) { // those may be of its key
                if (enter(spare, lanes, attempts)) {
                    WorkEntry<T> other = entryIn(spare);
                    spare.clear();
                    waiting++;
                    makeReady(other);
                }
            }
            if (lanes.putIfAbsent(entry.lane, entry.lane) != null) {
                return false;
            }
        }
        entry.position = ring.accepted();
        callersAccepted++;
        spare.hold(entry, entry.position, entry.acceptedNanos);
        return true;
    }

    @SuppressWarnings("unchecked") // of this queue
    private static <T> WorkEntry<T> entryIn(WorkSlot slot) {
        return (WorkEntry<T>) slot.taken();
    }

    /** An item that is not in a slot any more waits for its next attempt. */
    void later(WorkEntry<T> entry, long dueNanos) {
        waiting++;
        entry.dueNanos = dueNanos;
        entry.state = WorkEntry.BACKOFF;
        backoff.addLast(entry);
    }

    /** An item that is counted as waiting may be begun: by its caller, or by any worker. */
    void makeReady(WorkEntry<T> entry) {
        entry.state = WorkEntry.READY;
        if (entry.caller == null) {
            ready.addLast(entry);
            readyCount = ready.size();
        } else {
            callersReady.addLast(entry);
        }
    }

    /** The backoff of an entry is over. Returns false if it does not wait any more. */
    boolean due(WorkEntry<T> entry) {
        if (!backoff.remove(entry)) {
            return false;
        }
        makeReady(entry);
        return true;
    }

    /** An entry that is in its backoff waits longer, or is given back. Returns false if it does not wait any more. */
    boolean postpone(WorkEntry<T> entry, long dueNanos) {
        if (entry.state != WorkEntry.BACKOFF) {
            return false;
        }
        entry.dueNanos = dueNanos;
        if (isTooLate(dueNanos)) {
            giveBack(entry);
            return false;
        }
        return true;
    }

    /** An item that is in its backoff ends otherwise than by an attempt. */
    void leaveBackoff(WorkEntry<T> entry) {
        backoff.remove(entry);
        waiting--;
    }

    /** An item that is not in a slot any more has been done. */
    void end(WorkEntry<T> entry) {
        entry.state = WorkEntry.ENDED;
        count(entry);
        if (lanes == null || entry.lane == null) {
            return;
        }
        WorkEntry<T> next = entry.lane.pollNext();
        if (next != null) {
            makeReady(next);
        } else if (!entry.lane.returned) {
            lanes.remove(entry.lane);
        }
    }

    private void count(WorkEntry<T> entry) {
        if (entry.caller == null) {
            ring.end();
        } else {
            callersEnded++;
        }
    }

    /** An item that is not in a slot any more becomes a dead letter. Returns whether another one was dropped for it. */
    boolean bury(WorkEntry<T> entry) {
        dead++;
        boolean dropped;
        try {
            dropped = letters.add(entry);
        } catch (Throwable noMemory) {
            letters.drop();
            dropped = true;
        }
        end(entry);
        return dropped;
    }

    /** An item without an entry, for which there is no memory, ends as a dead letter that is dropped. */
    void buryUnseen() {
        dead++;
        letters.drop();
        ring.end();
    }

    /** An item that is counted as waiting is given back, and with it those behind it. */
    void giveBack(WorkEntry<T> entry) {
        backoff.remove(entry);
        waiting--;
        entry.state = WorkEntry.ENDED;
        returned++;
        returns.add(entry);
        count(entry);
        WorkLane<T> lane = entry.lane;
        if (lane != null && !lane.returned) {
            lane.returned = true;
            WorkEntry<T> next;
            while ((next = lane.pollNext()) != null) {
                giveBack(next);
            }
        }
    }

    /** Whether an attempt at a time would come too late, because the queue is closed by then. */
    boolean isTooLate(long dueNanos) {
        return closing && closesEver && dueNanos - closeNanos >= 0;
    }

    boolean isClosing() {
        return closing;
    }

    /** Ends the time of the queue, or makes it end earlier; gives back what would be due only after that. */
    void closeAt(long untilNanos, boolean ever) {
        if (ever && (!closesEver || untilNanos - closeNanos < 0)) {
            closeNanos = untilNanos;
            closesEver = true;
        }
        closing = true;
        for (WorkEntry<T> next, entry = backoff.first(); entry != null; entry = next) {
            next = backoff.after(entry);
            if (isTooLate(entry.dueNanos)) {
                giveBack(entry);
            }
        }
    }

    /** Begins nothing more, and gives back everything that waits. */
    void stop(WorkAttempts<T> attempts) {
        stopped = true;
        WorkEntry<T> entry;
        while ((entry = backoff.first()) != null) {
            giveBack(entry);
        }
        while ((entry = ready.pollFirst()) != null) {
            giveBack(entry);
        }
        readyCount = 0;
        while ((entry = callersReady.pollFirst()) != null) {
            giveBack(entry);
        }
        if (lanes != null) {
            for (WorkLane<T> lane : lanes.values()) {
                lane.returned = true; // what is behind an item that is still handled
                while ((entry = lane.pollNext()) != null) {
                    giveBack(entry);
                }
            }
            lanes.clear();
        }
        WorkSlot slot = new WorkSlot();
        while (ring.poll(slot)) {
            WorkEntry<T> own = attempts.entryOf(slot);
            slot.clear();
            waiting++;
            own.lane = null;
            giveBack(own);
        }
    }

    /** Returns what was given back, in the order in which it was accepted. */
    List<WorkEntry<T>> returns() {
        List<WorkEntry<T>> all = new ArrayList<>(returns);
        all.sort(Comparator.comparingLong(entry -> entry.position));
        return all;
    }

    /** Forgets what was given back. */
    void clearReturns() {
        returns.clear();
    }

    /** Counts everything; exact whenever no thread is just taking or ending an item. */
    WorkCounts counts() {
        while (true) {
            long ended = ring.ended();
            long begun = ring.begun();
            long accepted = ring.accepted();
            if (ring.ended() == ended && ring.begun() == begun) {
                long allEnded = ended + callersEnded;
                return new WorkCounts(
                        accepted + callersAccepted,
                        allEnded - dead - returned,
                        dead,
                        returned,
                        begun + callersAccepted - allEnded - waiting,
                        accepted - begun + waiting);
            }
        }
    }

    /** Returns since when the oldest waiting item has been accepted; 0 if none waits. */
    long oldestAgeNanos(long nowNanos) {
        long oldest = Math.max(ring.oldestAgeNanos(nowNanos), 0);
        oldest = Math.max(oldest, oldestIn(ready, nowNanos));
        oldest = Math.max(oldest, oldestIn(backoff, nowNanos));
        if (lanes != null) {
            for (WorkLane<T> lane : lanes.values()) {
                oldest = Math.max(oldest, oldestIn(lane.behind(), nowNanos));
            }
        }
        return oldest;
    }

    private long oldestIn(@Nullable WorkList<WorkEntry<T>> list, long nowNanos) {
        long oldest = 0;
        if (list != null) {
            for (WorkEntry<T> entry = list.first(); entry != null; entry = list.after(entry)) {
                oldest = Math.max(oldest, nowNanos - entry.acceptedNanos);
            }
        }
        return oldest;
    }

    /** Returns how many keys have items. */
    int keys() {
        return lanes == null ? 0 : lanes.size();
    }
}
