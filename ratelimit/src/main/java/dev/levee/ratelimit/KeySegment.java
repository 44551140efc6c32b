package dev.levee.ratelimit;

import dev.levee.core.NanoClock;
import dev.levee.ratelimit.KeyPlan.KeyChange;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A part of a {@link FingerprintTable}: {@link KeySlots}, the lock of those that claim a slot, and a stamp by which
 * those that do not can tell that nothing was claimed meanwhile.
 *
 * <pre>{@code
 *            stamp even and as before: what was read belongs together
 * call --- find ---------------------------------> exchange of the word ---> admitted, or refused without one
 *            | not found, sealed, or a claim meanwhile
 *            +--> lock --> find again --> found: the same under the lock
 *                             | not found: a claim
 *                             +--> of the key's two sets the one with fewer keys in debt: a slot whose debt is 0,
 *                                  or an empty one; else grow; else forgive the least debt of both
 * }</pre>
 *
 * <p><b>Invariants.</b>
 *
 * <ol>
 *   <li>Only the holder of the lock changes fingerprints and plans, between two steps of the stamp, which is odd
 *       meanwhile. So a fingerprint, a plan and a word that were read between two equal, even readings of the stamp are
 *       those of one key.
 *   <li>A slot is sealed before its fingerprint or plan changes, and unsealed after it. An exchange expects a word that
 *       was read as above; it fails from the sealing on, and forever, because no other key has the same word. So no
 *       permit is taken from the bucket of another key, or from one that was dropped or has moved.
 *   <li>A bucket that is full is dropped by an exchange that expects the word that was seen to be full, so no permit
 *       that was taken meanwhile is lost with it.
 *   <li>While the lock is free, no slot of the current array with a fingerprint is sealed, and none has the fingerprint
 *       of another one.
 * </ol>
 *
 * See ADR 89.
 */
final class KeySegment {
    /** The result of an attempt that met a claim, or did not find the key. */
    private static final long UNSURE = -1L;

    /** How often a call looks again that met a claim before it waits for the lock. */
    private static final int MAX_ATTEMPTS = 4;

    /**
     * How many sets a claim looks through for buckets that are full, when few slots are left: more than twice as many
     * slots as it takes, so that what is occupied shrinks to what is in debt.
     */
    private static final int SWEPT_SETS = 2;

    private final FingerprintTable table;
    private final NanoClock clock;
    private final int maxSets;
    private final boolean planned;

    // No user code runs under the lock.
    private final ReentrantLock lock = new ReentrantLock();
    private volatile long stamp;
    private volatile KeySlots slots;

    // Written under the lock.
    private volatile long added;
    private volatile long forgiven;
    private int hand;
    private KeyScan emptier = new KeyScan();
    private KeyScan fuller = new KeyScan();

    KeySegment(FingerprintTable table, NanoClock clock, long base, int maxSets, boolean planned) {
        this.table = table;
        this.clock = clock;
        this.maxSets = maxSets;
        this.planned = planned;
        slots = new KeySlots(setsOf(maxSets, 1), base, planned);
    }

    /** Returns the smallest of the numbers of sets that halving the largest one leads to and that is large enough. */
    private static int setsOf(int maxSets, int atLeast) {
        int sets = maxSets;
        while (sets > 1 && (sets + 1) / 2 >= atLeast) {
            sets = (sets + 1) / 2;
        }
        return sets;
    }

    long added() {
        return added;
    }

    long forgiven() {
        return forgiven;
    }

    long bytes() {
        return slots.bytes();
    }

    /**
     * Changes the bucket of a key.
     *
     * @return 0 if it was changed, else how long the cost has to wait
     */
    long change(KeyChange change, long low, long high, KeyPlan plan, long cost) {
        long nanos = 0;
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            long before = stamp;
            KeySlots now = slots;
            int slot = now.find(low, high);
            if (slot == KeySlots.NONE) {
                break;
            }
            // Read once: a reading that has become old is only stricter.
            nanos = attempt == 0 ? clock.nanoTime() : nanos;
            long wait = tryChange(change, now, slot, before, high, plan, nanos - now.base, cost);
            if (wait != UNSURE) {
                return wait;
            }
        }
        return changeUnderLock(change, low, high, plan, cost);
    }

    private long tryChange(
            KeyChange change,
            KeySlots found,
            int slot,
            long before,
            long high,
            KeyPlan wanted,
            long elapsed,
            long cost) {
        while (true) {
            KeyPlan plan = found.plan(slot, wanted);
            long word = found.word(slot);
            if (!isStill(before) || word == KeySlots.SEALED || !plan.isSameAs(wanted) || plan.isTooLate(elapsed)) {
                return UNSURE;
            }
            long tat = KeySlots.tat(word, high, plan);
            long next = plan.next(change, tat, plan.units(elapsed), cost);
            if (next == KeyPlan.REFUSED || (plan.isTooEarly(elapsed) && change == KeyChange.TAKE)) {
                return plan.waitNanos(tat, cost, elapsed);
            }
            if (next == tat || found.exchange(slot, word, KeySlots.word(next, high, plan))) {
                return 0;
            }
        }
    }

    /** Returns whether no claim was under way since the stamp was read, and what was read since belongs together. */
    private boolean isStill(long before) {
        VarHandle.acquireFence();
        return (before & 1) == 0 && stamp == before;
    }

    private long changeUnderLock(KeyChange change, long low, long high, KeyPlan plan, long cost) {
        boolean forgave;
        lock.lock();
        try {
            // A new reading: the key may have been served and dropped since the first one; its bucket was full then.
            long nanos = clock.nanoTime();
            int slot = slots.find(low, high);
            if (slot == KeySlots.NONE && change == KeyChange.GIVE_BACK) {
                return 0;
            }
            if (plan.isTooLate(nanos - slots.base)) {
                beginClaim();
                rebuild(slots.sets, plan, nanos);
                endClaim();
                slot = slots.find(low, high);
            }
            if (slot != KeySlots.NONE) {
                replan(slot, plan, nanos);
                long wait = tryChange(change, slots, slot, stamp, high, plan, nanos - slots.base, cost);
                if (wait == UNSURE) {
                    throw new AssertionError("sealed while the lock is free: " + slot);
                }
                return wait;
            }
            countAdded();
            forgave = claim(change, low, high, plan, nanos, cost);
        } finally {
            lock.unlock();
        }
        if (forgave) {
            table.forgave();
        }
        return 0;
    }

    /** Brings the bucket of a key to another plan, if it has another one. */
    private void replan(int slot, KeyPlan plan, long nanos) {
        KeyPlan old = slots.plan(slot, plan);
        if (old.isSameAs(plan)) {
            return;
        }
        long high = slots.high(slot);
        long elapsed = nanos - slots.base;
        beginClaim();
        long debt = old.debt(KeySlots.tat(slots.seal(slot), high, old), elapsed);
        long tat = plan.tat(plan.convert(debt, old), elapsed);
        slots.put(slot, slots.low(slot), high, plan, KeySlots.word(tat, high, plan));
        endClaim();
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock, here and in those that follow
    private void beginClaim() {
        stamp = stamp + 1;
        VarHandle.fullFence(); // no write of the claim may be seen before
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void endClaim() {
        stamp = stamp + 1;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void countAdded() {
        added = added + 1;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void countForgiven() {
        forgiven = forgiven + 1;
    }

    /**
     * Gives a key that is not held a slot, with a debt.
     *
     * @return whether the debt of another key was forgiven
     */
    private boolean claim(KeyChange change, long low, long high, KeyPlan plan, long nanos, long cost) {
        boolean forgave = false;
        beginClaim();
        try {
            if (table.isAlmostFull()) {
                sweep(plan, nanos);
            }
            int slot = free(low, plan, nanos);
            while (slot == KeySlots.NONE
                    && emptier.empty == KeySlots.NONE
                    && fuller.empty == KeySlots.NONE
                    && slots.sets < maxSets) {
                rebuild(setsOf(maxSets, slots.sets + 1), plan, nanos);
                slot = free(low, plan, nanos);
            }
            if (slot == KeySlots.NONE) {
                slot = leastInDebt(plan, nanos);
                forgave = slot != KeySlots.NONE;
                if (forgave) {
                    slots.seal(slot);
                    countForgiven();
                } else { // all the keys are in other segments: as good as never
                    slot = slots.first(low);
                    table.occupy();
                }
            }
            long tat = plan.next(change, Gcra.LONG_FULL, plan.units(nanos - slots.base), cost);
            slots.put(slot, low, high, plan, KeySlots.word(tat, high, plan));
        } finally {
            endClaim();
        }
        return forgave;
    }

    /** Returns a sealed or empty slot for a key, of the set with fewer keys in debt if it can be. */
    private int free(long low, KeyPlan plan, long nanos) {
        while (true) {
            emptier.scan(slots, slots.first(low), plan, nanos);
            fuller.scan(slots, slots.second(low), plan, nanos);
            if (fuller.inDebt < emptier.inDebt) {
                KeyScan swapped = emptier;
                emptier = fuller;
                fuller = swapped;
            }
            if (emptier.full == KeySlots.NONE && emptier.empty != KeySlots.NONE && table.tryOccupy()) {
                return emptier.empty;
            }
            KeyScan from = emptier.full != KeySlots.NONE ? emptier : fuller;
            if (from.full == KeySlots.NONE || slots.exchange(from.full, from.fullWord, KeySlots.SEALED)) {
                return from.full;
            }
            // A permit was taken from it just now.
        }
    }

    /** Empties the slots of some sets whose keys are not in debt; each claim goes on where the last one ended. */
    private void sweep(KeyPlan plan, long nanos) {
        int swept = 0;
        for (int set = 0; set < Math.min(SWEPT_SETS, slots.sets); set++) {
            hand = hand + 1 < slots.sets ? hand + 1 : 0;
            for (int slot = hand * KeySlots.WAYS; slot < (hand + 1) * KeySlots.WAYS; slot++) {
                if (!slots.isEmpty(slot)) {
                    long word = slots.word(slot);
                    if (slots.debt(slot, word, plan, nanos) == 0 && slots.exchange(slot, word, KeySlots.SEALED)) {
                        slots.clear(slot);
                        swept++;
                    }
                }
            }
        }
        table.leave(swept);
    }

    /**
     * Returns the slot of the key that is least in debt in the two sets that were scanned. Where both are empty,
     * because the table is full elsewhere, that of the first set that is not.
     */
    private int leastInDebt(KeyPlan plan, long nanos) {
        int least = emptier.leastDebt < fuller.leastDebt ? emptier.least : fuller.least;
        for (int set = 0; least == KeySlots.NONE && set < slots.sets; set++) {
            emptier.scan(slots, set * KeySlots.WAYS, plan, nanos);
            least = emptier.least;
        }
        return least;
    }

    /** Moves the keys in debt to another array, whose times count from now: a larger one, or because of the base. */
    private void rebuild(int sets, KeyPlan plan, long nanos) {
        KeySlots old = slots;
        KeySlots next = new KeySlots(sets, Math.max(0, nanos - old.base) + old.base, planned);
        int dropped = 0;
        for (int slot = 0; slot < old.slots(); slot++) {
            if (!old.isEmpty(slot)) {
                long word = old.seal(slot);
                if (old.debt(slot, word, plan, nanos) == 0) {
                    dropped++;
                } else {
                    move(old, slot, word, next, plan, nanos);
                }
            }
        }
        table.leave(dropped);
        slots = next;
    }

    private void move(KeySlots old, int slot, long word, KeySlots next, KeyPlan shared, long nanos) {
        long low = old.low(slot);
        int to = old.sets == next.sets ? slot : place(next, low, shared, nanos);
        long high = old.high(slot);
        KeyPlan plan = old.plan(slot, shared);
        long tat = plan.from(KeySlots.tat(word, high, plan), next.base - old.base);
        next.put(to, low, high, plan, KeySlots.word(tat, high, plan));
    }

    private int place(KeySlots next, long low, KeyPlan shared, long nanos) {
        emptier.scan(next, next.first(low), shared, nanos);
        fuller.scan(next, next.second(low), shared, nanos);
        KeyScan in = emptier.inDebt <= fuller.inDebt ? emptier : fuller;
        if (in.empty == KeySlots.NONE) { // with half as many keys for each set, as good as never
            countForgiven();
            table.leave(1);
            return in.least;
        }
        return in.empty;
    }

    /** Returns the debt of a key, in the units of its plan. */
    long debt(long low, long high, KeyPlan wanted) {
        long nanos = clock.nanoTime();
        for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
            long before = stamp;
            KeySlots now = slots;
            int slot = now.find(low, high);
            KeyPlan plan = slot == KeySlots.NONE ? wanted : now.plan(slot, wanted);
            long word = slot == KeySlots.NONE ? KeySlots.SEALED : now.word(slot);
            if (isStill(before)) {
                return slot == KeySlots.NONE ? 0 : debt(word, high, plan, wanted, nanos - now.base);
            }
        }
        lock.lock();
        try {
            int slot = slots.find(low, high);
            if (slot == KeySlots.NONE) {
                return 0;
            }
            return debt(slots.word(slot), high, slots.plan(slot, wanted), wanted, clock.nanoTime() - slots.base);
        } finally {
            lock.unlock();
        }
    }

    /** Returns the plan of a key; another one if it is not held. */
    KeyPlan plan(long low, long high, KeyPlan other) {
        lock.lock();
        try {
            int slot = slots.find(low, high);
            return slot == KeySlots.NONE ? other : slots.plan(slot, other);
        } finally {
            lock.unlock();
        }
    }

    private static long debt(long word, long high, KeyPlan plan, KeyPlan wanted, long elapsed) {
        long debt = plan.debt(KeySlots.tat(word, high, plan), elapsed);
        return plan.isSameAs(wanted) ? debt : wanted.convert(debt, plan);
    }

    /** Returns how many keys are in debt; takes no lock, so keys that come meanwhile may be counted or not. */
    int keys(KeyPlan shared) {
        long nanos = clock.nanoTime();
        KeySlots now = slots;
        int keys = keysIn(now, shared, nanos);
        while (now != slots) { // it has grown, at most some 20 times in all
            now = slots;
            keys = keysIn(now, shared, nanos);
        }
        return keys;
    }

    private int keysIn(KeySlots now, KeyPlan shared, long nanos) {
        int keys = 0;
        for (int set = 0; set < now.sets; set++) {
            int inSet = 0;
            for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
                long before = stamp;
                inSet = now.inDebt(set * KeySlots.WAYS, shared, nanos);
                if (isStill(before)) {
                    break;
                }
            }
            keys += inSet;
        }
        return keys;
    }
}
