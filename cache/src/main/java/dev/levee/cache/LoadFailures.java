package dev.levee.cache;

import dev.levee.core.RefusedException;

/** What a failure of the store means, and how each caller sees it. */
final class LoadFailures {
    private LoadFailures() {}

    /**
     * Whether a failure that does not lie in the caller says something about the key that stays true for a while: not a
     * fault of the program or the JVM, and not a refusal, which says how the policy is at this moment.
     */
    static boolean isCacheable(Throwable failure) {
        return !(failure instanceof Error) && !(failure instanceof RefusedException);
    }

    /** Returns what the caller whose thread ran the load, or the write, throws; throws it if it is an error. */
    static RuntimeException asSeenByCaller(String cache, String what, Throwable failure, boolean mayHaveWritten) {
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RefusedException refused) {
            return refused;
        }
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        return new StoreException(cache, what, failure, mayHaveWritten);
    }

    /** Returns what a caller throws that waited for the load, or finds its failure in the cache. */
    static RuntimeException asSeenByWaiter(String cache, Throwable failure) {
        return failure instanceof RefusedException refused
                ? (refused.mayHaveRun() ? refused.detachedAfterRun() : refused.detached())
                : new StoreException(cache, "load", failure);
    }
}
