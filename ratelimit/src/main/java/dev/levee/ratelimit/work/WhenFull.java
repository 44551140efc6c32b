package dev.levee.ratelimit.work;

/**
 * What {@link WorkQueue#submit} does when the queue is full. The queue never grows, whatever is chosen.
 *
 * @since 0.1
 */
public enum WhenFull {
    /**
     * Waits until there is a place, first come first served, at most {@link WorkQueueConfig.Builder#maxWait} and never
     * past the deadline of the call; then refuses.
     */
    BLOCK,
    /** Refuses at once. */
    REFUSE,
    /**
     * Handles the item on the calling thread, with all its attempts, and returns when it has ended. The caller waits
     * out the backoff between attempts, and a stage that the handler returns: that is what slows it down. If the queue
     * has an order by key and items of this one's key have not ended, the item is refused, because it must not be
     * handled before them.
     */
    CALLER_RUNS
}
