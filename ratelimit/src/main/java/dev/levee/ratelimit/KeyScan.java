package dev.levee.ratelimit;

/** What a claim finds in a set of {@link KeySlots}; filled again and again, under the lock of a {@link KeySegment}. */
final class KeyScan {
    int inDebt;
    int empty;

    /** A slot whose key is not in debt, and its word. */
    int full;

    long fullWord;

    /** The slot whose key is the least in debt, and its debt. */
    int least;

    long leastDebt;

    void scan(KeySlots in, int firstSlot, KeyPlan shared, long nanos) {
        inDebt = 0;
        empty = KeySlots.NONE;
        full = KeySlots.NONE;
        least = KeySlots.NONE;
        leastDebt = Long.MAX_VALUE;
        for (int slot = firstSlot; slot < firstSlot + KeySlots.WAYS; slot++) {
            if (in.isEmpty(slot)) {
                empty = slot;
                continue;
            }
            long word = in.word(slot);
            long debt = in.debt(slot, word, shared, nanos);
            if (debt == 0) {
                full = slot;
                fullWord = word;
            } else {
                inDebt++;
                if (debt < leastDebt) {
                    least = slot;
                    leastDebt = debt;
                }
            }
        }
    }
}
