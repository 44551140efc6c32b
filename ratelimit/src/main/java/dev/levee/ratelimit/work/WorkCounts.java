package dev.levee.ratelimit.work;

/**
 * What became of the items of a {@link WorkQueue}, at one moment.
 *
 * <p>Each item that was accepted is counted in exactly one of the others: {@code accepted = done + deadLettered +
 * returned + running + waiting}. A replay is a new acceptance.
 *
 * @param accepted how many items were accepted since the queue was made
 * @param done how many the handler has done
 * @param deadLettered how many became dead letters, those included that were replayed, discarded or dropped since
 * @param returned how many {@link WorkQueue#close} has handed back
 * @param running how many are being handled
 * @param waiting how many wait: for a worker, for the next attempt, or for an earlier item of their key
 * @since 0.1
 */
public record WorkCounts(long accepted, long done, long deadLettered, long returned, long running, long waiting) {}
