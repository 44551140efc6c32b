package dev.levee.ratelimit;

/**
 * What becomes of the permits that are used when a limit is changed live: see {@link RateLimiter#reconfigure}.
 *
 * @since 0.1
 */
public enum CarriedFill {
    /**
     * As many permits stay used as were used before, at most the capacity of the new limit. After a change from 100 to
     * 200, of which 30 were used, 170 are there. The default.
     */
    SAME_USED,

    /** The same share stays used. After a change from 100 to 200, of which 30 were used, 140 are there. */
    IN_PROPORTION,

    /** Nothing stays used: the limiter is as a new one with this limit. */
    RESET
}
