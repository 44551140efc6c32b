package dev.levee.ratelimit;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The slots of a {@link KeySegment}, in one array of longs: sets of 16, of which each key may lie in two.
 *
 * <pre>{@code
 * a set, 48 longs:  | low 0 | low 1 | ... | low 15 | high 0 | word 0 | high 1 | word 1 | ... | high 15 | word 15 |
 *                     '---- searched ----'           '- of the one found -'
 *
 * low, high         the fingerprint of the key; low is 0 if the slot is empty
 * word              the arrival time of its bucket (Gcra), plus high, plus the salt of its plan; or SEALED
 * }</pre>
 *
 * <p><b>Invariants.</b> A word carries the fingerprint of its key as an addend, which is random: the words of two keys
 * are never equal, but by a chance of one in 2^64. So an exchange that expects the word of a key succeeds only while
 * the slot is that key's, whatever became of the slot meanwhile. The same holds for the plans of one key, by their
 * salts. A slot of a key whose debt is 0 is as good as an empty one.
 *
 * <p>Two choices: the fuller a set, the rarer a key is put there, so that of a million keys at 78 % none finds both of
 * its sets full. See ADR 89.
 *
 * @see <a href="https://doi.org/10.1137/S0097539795288490">Y. Azar, A. Broder, A. Karlin, E. Upfal, Balanced
 *     Allocations, SIAM Journal on Computing 29, 1999</a>
 */
final class KeySlots {
    static final int WAYS = 16;

    /** The one number that is no word; where arithmetic leads to it, the next number is used. */
    static final long SEALED = Long.MIN_VALUE;

    static final int NONE = -1;

    private static final int LONGS_OF_A_SET = 3 * WAYS;
    private static final long LOW_HALF = 0xFFFF_FFFFL;
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    final int sets;

    /** The reading of the clock from which arrival times count. */
    final long base;

    private final long[] longs;

    /** By slot, where keys have limits of their own. */
    private final @Nullable KeyPlan @Nullable [] plans;

    KeySlots(int sets, long base, boolean planned) {
        this.sets = sets;
        this.base = base;
        longs = new long[sets * LONGS_OF_A_SET];
        plans = planned ? new KeyPlan[sets * WAYS] : null;
    }

    /** Returns how many bytes the arrays take, without their headers. */
    long bytes() {
        return longs.length * 8L + (plans == null ? 0 : plans.length * 4L);
    }

    int slots() {
        return sets * WAYS;
    }

    /** Returns the first slot of one of the two sets of a key. */
    int first(long low) {
        return (int) (((low & LOW_HALF) * sets) >>> 32) * WAYS;
    }

    /** Returns the first slot of the other set; the same if there is only one. */
    int second(long low) {
        int set = (int) (((low & LOW_HALF) * sets) >>> 32);
        int other = set + 1 + (int) (((low >>> 32) * (sets - 1)) >>> 32);
        return (other < sets ? other : other - sets) * WAYS;
    }

    /** Returns the slot of a key, or {@link #NONE}; right only if no claim was under way. */
    int find(long low, long high) {
        int slot = findIn(first(low), low, high);
        return slot != NONE || sets == 1 ? slot : findIn(second(low), low, high);
    }

    private int findIn(int firstSlot, long low, long high) {
        int begin = firstSlot * 3;
        for (int way = 0; way < WAYS; way++) {
            if (longs[begin + way] == low && longs[begin + WAYS + 2 * way] == high) {
                return firstSlot + way;
            }
        }
        return NONE;
    }

    private static int lowIndex(int slot) {
        int way = slot & (WAYS - 1);
        return (slot - way) * 3 + way;
    }

    private static int highIndex(int slot) {
        int way = slot & (WAYS - 1);
        return (slot - way) * 3 + WAYS + 2 * way;
    }

    boolean isEmpty(int slot) {
        return longs[lowIndex(slot)] == 0;
    }

    long low(int slot) {
        return longs[lowIndex(slot)];
    }

    long high(int slot) {
        return longs[highIndex(slot)];
    }

    long word(int slot) {
        return (long) LONGS.getVolatile(longs, highIndex(slot) + 1);
    }

    boolean exchange(int slot, long expected, long next) {
        return LONGS.compareAndSet(longs, highIndex(slot) + 1, expected, next);
    }

    /** Seals a slot for good, whatever its word is, which is returned. Only under the lock, in a claim. */
    long seal(int slot) {
        return (long) LONGS.getAndSet(longs, highIndex(slot) + 1, SEALED);
    }

    /** Gives a sealed or new slot to a key. Only under the lock, in a claim. */
    void put(int slot, long low, long high, KeyPlan plan, long word) {
        longs[lowIndex(slot)] = low;
        longs[highIndex(slot)] = high;
        if (plans != null) {
            plans[slot] = plan;
        }
        LONGS.setVolatile(longs, highIndex(slot) + 1, word);
    }

    /** Empties a sealed slot. Only under the lock, in a claim. */
    void clear(int slot) {
        longs[lowIndex(slot)] = 0;
        if (plans != null) {
            plans[slot] = null;
        }
    }

    /** Returns the plan of the key in a slot. */
    KeyPlan plan(int slot, KeyPlan shared) {
        if (plans == null) {
            return shared;
        }
        KeyPlan plan = plans[slot];
        return plan == null ? shared : plan;
    }

    /** Returns the debt in a word of a slot; with limits of their own, in nanoseconds, so that they can be compared. */
    long debt(int slot, long word, KeyPlan shared, long nanos) {
        KeyPlan plan = plan(slot, shared);
        long debt = plan.debt(tat(word, high(slot), plan), nanos - base);
        return plans == null ? debt : plan.nanos(debt);
    }

    /** Returns how many keys of a set are in debt. */
    int inDebt(int firstSlot, KeyPlan shared, long nanos) {
        int count = 0;
        for (int slot = firstSlot; slot < firstSlot + WAYS; slot++) {
            if (!isEmpty(slot)) {
                long word = word(slot);
                count += word != SEALED && debt(slot, word, shared, nanos) > 0 ? 1 : 0;
            }
        }
        return count;
    }

    /** Returns the word of a bucket; never {@link #SEALED}. */
    static long word(long tat, long high, KeyPlan plan) {
        long word = tat + high + plan.salt;
        return word == SEALED ? word + 1 : word;
    }

    /** Returns the arrival time in a word. */
    static long tat(long word, long high, KeyPlan plan) {
        return word - high - plan.salt;
    }
}
