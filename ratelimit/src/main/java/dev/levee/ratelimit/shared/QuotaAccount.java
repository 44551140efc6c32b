package dev.levee.ratelimit.shared;

/** What a process has used of one key without asking, and what comes back, until the store was told. Under the lock. */
final class QuotaAccount {
    private static final int MAX_CAPACITIES_OWED = 64;

    /** What was used, and not sent yet. */
    long owed;

    /** What comes back, and was not sent yet. */
    private long returned;

    private long returnedTaken;

    /** Whether what comes back was left for the next request, as what was used went first. */
    private boolean isReturnNext;

    /** What of {@link #owed} is on its way. */
    private long sent;

    /** Whether the store has nothing to be told. */
    boolean isEmpty() {
        return owed <= 0 && returned == 0;
    }

    /** Counts what was used; no more than a store can count. */
    void owe(long permits, long capacity) {
        long most = capacity > Long.MAX_VALUE / MAX_CAPACITIES_OWED ? Long.MAX_VALUE : capacity * MAX_CAPACITIES_OWED;
        owed = permits > most - owed ? Math.max(owed, most) : owed + permits;
    }

    void comesBack(long permits, long takenStoreNanos) {
        returnedTaken = returned == 0 ? takenStoreNanos : Math.min(returnedTaken, takenStoreNanos);
        returned = permits > Long.MAX_VALUE - returned ? Long.MAX_VALUE : returned + permits;
    }

    /** A request has one or the other; if there are both they take turns, so that neither is told too late. */
    private boolean sendsReturn() {
        return returned > 0 && (owed <= 0 || isReturnNext);
    }

    /** Returns since when what comes back was taken, if it is sent now. */
    long takenNanos() {
        return sendsReturn() ? returnedTaken : Long.MAX_VALUE;
    }

    /** Returns what is sent now: what is owed, or what comes back, as a negative number. */
    long send() {
        if (sendsReturn()) {
            long told = -returned;
            returned = 0;
            isReturnNext = false;
            sent = 0;
            return told;
        }
        isReturnNext = returned > 0;
        sent = Math.max(0, owed);
        owed = 0;
        return sent;
    }

    /** Notes whether what was sent was counted. */
    void sent(boolean wasCounted) {
        if (!wasCounted) {
            owed += sent;
        }
        sent = 0;
    }
}
