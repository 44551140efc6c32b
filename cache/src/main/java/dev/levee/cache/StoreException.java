package dev.levee.cache;

import dev.levee.core.internal.Text;

/**
 * The store behind a {@link Cache} failed, or did not respond by the deadline of the caller.
 *
 * <p>The cause is what the store threw. Callers that waited for the same load each get their own exception, with the
 * same cause. After a failed write it is not known whether the store has the new value or the old one, and the cache
 * has neither.
 *
 * <p>Provisional: this module grows in later versions.
 *
 * @since 0.1
 */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The name of the cache. */
    private final String cache;

    StoreException(String cache, String what, Throwable cause) {
        super("cache \"" + cache + "\" could not " + what + ": " + Text.escaped(cause.toString()), cause);
        this.cache = cache;
    }

    /**
     * Returns the name of the cache.
     *
     * @return its name
     */
    public String cache() {
        return cache;
    }
}
