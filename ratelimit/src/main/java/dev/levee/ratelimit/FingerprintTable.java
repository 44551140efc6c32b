package dev.levee.ratelimit;

import dev.levee.core.NanoClock;
import dev.levee.core.internal.PaddedLong;

/**
 * The buckets of the keys of a {@link KeyedRateLimiter}, by their fingerprints: an open-addressed table of longs in
 * segments, each of which grows by itself.
 *
 * <pre>{@code
 * fingerprint --> segment --> two sets of 16 slots --> slot {low, high, word}
 * }</pre>
 *
 * <p><b>Invariants.</b> {@code occupied} is the number of slots that are not empty, of keys in debt and of keys that no
 * longer are, and at most {@code maxKeys}. The slots of all segments together are bounded by {@code maxKeys} and the
 * share to which sets are filled. See ADR 89.
 */
final class FingerprintTable {
    /** How many keys a set holds on average if there are as many as there may be: 78 % of its slots. */
    private static final double KEYS_OF_A_SET = 12.5;

    /** So few that a segment doubles in less than a millisecond, so many that all are filled alike, within 3 %. */
    private static final int MAX_KEYS_OF_A_SEGMENT = 1 << 14;

    private final int maxKeys;
    private final KeySegment[] segments;
    private final PaddedLong occupied = new PaddedLong(0);
    private final Runnable onForgiven;

    FingerprintTable(int maxKeys, boolean planned, NanoClock clock, Runnable onForgiven) {
        this.maxKeys = maxKeys;
        this.onForgiven = onForgiven;
        int count = 1;
        while (count * (long) MAX_KEYS_OF_A_SEGMENT < maxKeys) {
            count *= 2;
        }
        int sets = maxKeys <= KeySlots.WAYS ? 1 : (int) Math.ceil(maxKeys / KEYS_OF_A_SET / count);
        segments = new KeySegment[count];
        long base = clock.nanoTime();
        for (int i = 0; i < count; i++) {
            segments[i] = new KeySegment(this, clock, base, sets, planned);
        }
    }

    private KeySegment segment(long high) {
        return segments[(int) (high >>> 32) & (segments.length - 1)];
    }

    /**
     * Takes permits that do not exceed the burst.
     *
     * @return 0 if they were taken, else how long they have to wait
     */
    long take(long low, long high, KeyPlan plan, long permits) {
        return segment(high).change(KeyPlan.KeyChange.TAKE, low, high, plan, plan.cost(permits));
    }

    /** Takes any number of permits, or gives permits back if it is negative. */
    void settle(long low, long high, KeyPlan plan, long permits) {
        KeyPlan.KeyChange change = permits > 0 ? KeyPlan.KeyChange.CHARGE : KeyPlan.KeyChange.GIVE_BACK;
        long most = Math.abs(permits);
        if (permits != 0) {
            segment(high).change(change, low, high, plan, plan.cost(most));
        }
    }

    /** Lowers a debt by so many units of the plan. */
    void credit(long low, long high, KeyPlan plan, long units) {
        if (units > 0) {
            segment(high).change(KeyPlan.KeyChange.GIVE_BACK, low, high, plan, units);
        }
    }

    long debt(long low, long high, KeyPlan plan) {
        return segment(high).debt(low, high, plan);
    }

    /** Has the bucket of a key go on by a plan from now on, if it is held. */
    void adopt(long low, long high, KeyPlan plan) {
        segment(high).change(KeyPlan.KeyChange.GIVE_BACK, low, high, plan, 0);
    }

    /** Returns the plan that the bucket of a key has; another one if the key is not held. */
    KeyPlan plan(long low, long high, KeyPlan other) {
        return segment(high).plan(low, high, other);
    }

    /** Returns how many keys are in debt. */
    int keys(KeyPlan shared) {
        long keys = 0;
        for (KeySegment segment : segments) {
            keys += segment.keys(shared);
        }
        return (int) Math.min(keys, maxKeys); // those that came while others were counted
    }

    long occupied() {
        return occupied.get();
    }

    long added() {
        long added = 0;
        for (KeySegment segment : segments) {
            added += segment.added();
        }
        return added;
    }

    long forgiven() {
        long forgiven = 0;
        for (KeySegment segment : segments) {
            forgiven += segment.forgiven();
        }
        return forgiven;
    }

    long bytes() {
        long bytes = 0;
        for (KeySegment segment : segments) {
            bytes += segment.bytes();
        }
        return bytes;
    }

    boolean isAlmostFull() {
        return occupied.get() >= maxKeys - maxKeys / 8;
    }

    boolean tryOccupy() {
        long seen = occupied.get();
        while (seen < maxKeys) {
            long found = occupied.compareAndExchange(seen, seen + 1);
            if (found == seen) {
                return true;
            }
            seen = found;
        }
        return false;
    }

    /** Counts a slot beyond the bound. */
    void occupy() {
        occupied.getAndAdd(1);
    }

    void leave(int slots) {
        if (slots > 0) {
            occupied.getAndAdd(-slots);
        }
    }

    void forgave() {
        onForgiven.run();
    }
}
