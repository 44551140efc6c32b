package dev.levee.cache.writebehind;

/**
 * What a {@link WriteBehind} does with a write when it has no room for it. What is accepted is never lost by any of
 * them but {@link #DROP_OLDEST}, which must be chosen.
 *
 * @since 0.1
 */
public enum WriteOverflow {
    /**
     * The caller waits until there is room, first come first served, at most {@link WriteBehindConfig.Builder#maxWait}
     * and never past the deadline of its call; then the write is refused.
     */
    BLOCK,
    /** The write is refused at once. */
    REFUSE,
    /**
     * The caller writes the store itself, on its own thread, once, and gets what the store throws. It waits before that
     * until the store has the earlier writes of the key, as long as {@link #BLOCK} would wait.
     */
    WRITE_THROUGH,
    /**
     * The oldest writes that are not on their way to the store are given up for the new one, as many as that takes, and
     * counted; with a journal none while an older one of its key is on its way, which the journal does not have any
     * more. The cache in front drops their values. If that would not make room enough, none is, and the new one is
     * refused. For values of which only the latest matter, such as positions or presence.
     */
    DROP_OLDEST
}
