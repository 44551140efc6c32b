package dev.levee.cache;

import dev.levee.core.internal.Text;

/**
 * The store behind a {@link Cache} failed, or did not respond by the deadline of the caller.
 *
 * <p>The cause is what the store threw. Callers that waited for the same load each get their own exception, with the
 * same cause. After a failed write {@link #mayHaveWritten} says whether the store may have the new value.
 *
 * @since 0.1
 */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the cache. */
    private final String cache;

    /** Whether the store may have been changed. */
    private final boolean mayHaveWritten;

    StoreException(String cache, String what, Throwable cause) {
        this(cache, what, cause, false);
    }

    StoreException(String cache, String what, Throwable cause, boolean mayHaveWritten) {
        super("cache \"" + cache + "\" could not " + what + ": " + Text.escaped(cause.toString()), cause);
        this.cache = cache;
        this.mayHaveWritten = mayHaveWritten;
    }

    /**
     * Returns what a cache throws when a load has failed: a refusal as it is, else one of these. For caches that are
     * made of several tiers, and load past one.
     *
     * @param cache the name of the cache
     * @param failure what the store threw
     * @return what to throw; the interrupt flag is set if it was an interrupt
     * @throws Error the failure, if it is one
     */
    public static RuntimeException ofLoad(String cache, Throwable failure) {
        return LoadFailures.asSeenByCaller(cache, "load", failure, false);
    }

    /**
     * Returns the name of the cache.
     *
     * @return its name
     */
    public String cache() {
        return cache;
    }

    /**
     * Returns whether the store may have been changed by a write that failed: it may have the new value or the old one,
     * and the cache has neither. If not, nothing was written, and the cache is as it was before.
     *
     * @return true after a write, unless it was surely not sent or did not have its turn in time; false after a load
     */
    public boolean mayHaveWritten() {
        return mayHaveWritten;
    }
}
