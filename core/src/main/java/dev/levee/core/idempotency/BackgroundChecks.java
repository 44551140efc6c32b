package dev.levee.core.idempotency;

import dev.levee.core.NanoClock;
import dev.levee.core.Scheduler;
import dev.levee.core.idempotency.StoredIdempotency.Slot;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.parts.HandOver;
import dev.levee.core.internal.parts.ShieldedTimer;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys of an {@link Idempotency} whose outcome is unknown, and which wait for the check: each is settled in the
 * background unless a repeat does it before.
 *
 * <pre>{@code
 * add ----> queue, by due time ----> timer ----> executor: one key after the other
 *             ^                                     |
 *             +---- not settled: twice as long -----+---- settled, absent, or tried often enough ----> gone
 * }</pre>
 *
 * <p><b>Invariants.</b> While the queue is not empty a timer is set or a turn is under way, whatever the executor, the
 * scheduler, the store and the check throw; if even a timer cannot be set, the next key that is added tries again. One
 * turn runs at a time, and no code of a user runs under the lock. A key is in the queue once. See ADR 80.
 */
final class BackgroundChecks<T extends @Nullable Object> {
    static final int MAX_KEYS = 100_000;
    static final int MAX_TRIES = 12;

    /** How many keys are settled before the executor gets its thread back. */
    static final int MAX_PER_TURN = 50;

    private static final Logger LOG = LoggerFactory.getLogger(Idempotency.class);

    private final StoredIdempotency<T> idempotency;
    private final OutcomeCheck<T> check;
    private final NanoClock clock;
    private final long firstNanos;
    private final HandOver handOver;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Slot, WaitingKey> keys = new HashMap<>();
    private final PriorityQueue<WaitingKey> queue = new PriorityQueue<>((a, b) -> Long.signum(a.dueNanos - b.dueNanos));

    /** Whether a turn has been handed over and has not ended. */
    private boolean working;

    /** The number of the timer that is set, or 0. */
    private long armed;

    private long armedFor;
    private long timers;
    private Scheduler.@Nullable Timer timer;
    private volatile boolean failedBefore;

    BackgroundChecks(StoredIdempotency<T> idempotency, OutcomeCheck<T> check, long firstNanos) {
        this.idempotency = idempotency;
        this.check = check;
        this.clock = idempotency.environment.clock();
        this.firstNanos = firstNanos;
        this.handOver = new HandOver(LOG, StoredIdempotency.subject(idempotency.name()));
    }

    /** A key, and when it is its turn. Guarded by the lock. */
    private static final class WaitingKey {
        final Slot slot;
        long dueNanos;
        long pauseNanos;
        int tries;

        WaitingKey(Slot slot, long dueNanos, long pauseNanos) {
            this.slot = slot;
            this.dueNanos = dueNanos;
            this.pauseNanos = pauseNanos;
        }
    }

    /**
     * Adds a key, unless it waits already or there is no room.
     *
     * @param after how long it will be until the outcome is unknown, in nanoseconds
     */
    void add(Slot slot, long after) {
        long due = clock.nanoTime() + Nanos.add(after, firstNanos);
        lock.lock();
        try {
            if (keys.containsKey(slot) || keys.size() >= MAX_KEYS) {
                return;
            }
            WaitingKey added = new WaitingKey(slot, due, firstNanos);
            keys.put(slot, added);
            queue.add(added);
        } finally {
            lock.unlock();
        }
        arm(0);
    }

    int size() {
        lock.lock();
        try {
            return keys.size();
        } finally {
            lock.unlock();
        }
    }

    /** Sets the timer for the first key of the queue, unless one is set that comes as early, or a turn is under way. */
    private void arm(long atLeast) {
        long now = clock.nanoTime();
        long number;
        long delay;
        Scheduler.Timer replaced;
        lock.lock();
        try {
            WaitingKey first = queue.peek();
            if (working || first == null) {
                return;
            }
            delay = Math.max(Math.max(first.dueNanos - now, atLeast), 0);
            if (armed != 0 && armedFor - (now + delay) <= 0) {
                return;
            }
            number = ++timers;
            armed = number;
            armedFor = now + delay;
            replaced = timer;
            timer = null;
        } finally {
            lock.unlock();
        }
        if (replaced != null) {
            replaced.cancel();
        }
        set(number, delay);
    }

    private void set(long number, long delay) {
        Scheduler.Timer set = null;
        try {
            set = ShieldedTimer.set(idempotency.environment, () -> fire(number), delay);
        } catch (Throwable rejected) { // by a closed environment, for example
            handOver.failed(rejected);
        }
        boolean late;
        lock.lock();
        try {
            late = armed != number;
            if (!late) {
                timer = set;
                armed = set == null ? 0 : number;
            }
        } finally {
            lock.unlock();
        }
        if (late && set != null) {
            set.cancel();
        }
    }

    private void fire(long number) {
        lock.lock();
        try {
            if (armed != number) {
                return;
            }
            armed = 0;
            timer = null;
            working = true;
        } finally {
            lock.unlock();
        }
        if (handOver.execute(idempotency.environment, this::turn, () -> endTurn(firstNanos)) != null) {
            endTurn(firstNanos);
        }
    }

    private void endTurn(long atLeast) {
        lock.lock();
        try {
            working = false;
        } finally {
            lock.unlock();
        }
        arm(atLeast);
    }

    private void turn() {
        try {
            for (int settled = 0; settled < MAX_PER_TURN; settled++) {
                WaitingKey next = takeDue();
                if (next == null) {
                    return;
                }
                settle(next);
            }
        } finally {
            endTurn(0);
        }
    }

    private @Nullable WaitingKey takeDue() {
        long now = clock.nanoTime();
        lock.lock();
        try {
            WaitingKey first = queue.peek();
            return first == null || first.dueNanos - now > 0 ? null : queue.poll();
        } finally {
            lock.unlock();
        }
    }

    private void settle(WaitingKey key) {
        boolean settled = false;
        try {
            settled = settle(key.slot);
        } finally {
            long now = clock.nanoTime();
            lock.lock();
            try {
                if (settled || ++key.tries >= MAX_TRIES) {
                    keys.remove(key.slot);
                } else {
                    key.pauseNanos = Nanos.add(key.pauseNanos, key.pauseNanos);
                    key.dueNanos = now + key.pauseNanos;
                    queue.add(key);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** Settles a key if its outcome is unknown. Returns whether nothing is left to do for it. */
    private boolean settle(Slot slot) {
        PendingCall<T> mine = new PendingCall<>();
        if (idempotency.pendingCalls.putIfAbsent(slot, mine) != null) {
            return false; // a call of this key is under way, and finds out itself
        }
        try {
            String owner = idempotency.newOwner();
            return switch (idempotency.claim(slot, owner).status()) {
                case OWNED_UNKNOWN -> check(slot, owner, mine);
                case OWNED -> {
                    idempotency.store.forget(slot.key(), owner); // it was absent, and settled by a repeat
                    yield true;
                }
                case IN_PROGRESS -> false;
                default -> true;
            };
        } catch (Throwable thrown) {
            warnFailed("the store", thrown);
            return false;
        } finally {
            idempotency.end(slot, mine);
        }
    }

    private boolean check(Slot slot, String owner, PendingCall<T> mine) {
        boolean settled = false;
        try {
            OutcomeCheck.Finding<T> finding = idempotency.ask(check, slot);
            switch (finding.kind) {
                case DONE -> {
                    if (idempotency.store.record(slot.key(), owner, finding.result, null)) {
                        mine.prepare(PendingCall.PendingEnd.of(finding.result, null));
                    }
                    settled = true;
                }
                case NOT_DONE -> {
                    idempotency.store.forget(slot.key(), owner);
                    settled = true;
                }
                default -> {} // not yet
            }
        } catch (Throwable thrown) {
            if (thrown instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            warnFailed("the check", thrown);
        } finally {
            if (!settled) {
                idempotency.backToUnknown(slot, owner);
            }
        }
        return settled;
    }

    private void warnFailed(String what, Throwable thrown) {
        if (failedBefore) {
            return;
        }
        failedBefore = true;
        SafeLog.warn(
                LOG,
                "{}: {} failed in the background for a key whose outcome is unknown; it is tried again. Further"
                        + " failures of this kind are not logged",
                StoredIdempotency.subject(idempotency.name()),
                what,
                thrown);
    }
}
