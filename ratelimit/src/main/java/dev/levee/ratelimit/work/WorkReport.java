package dev.levee.ratelimit.work;

import dev.levee.core.internal.Require;
import java.util.List;

/**
 * What a {@link WorkQueue} leaves behind when it has been closed: each item that it ever accepted is counted in exactly
 * one of {@code done}, {@code deadLettered}, {@code returned} and {@code unfinished}.
 *
 * @param done how many items the handler has done since the queue was made
 * @param deadLettered how many became dead letters since the queue was made; {@link WorkQueue#deadLetters} still has
 *     those that were kept
 * @param returned the items that were never begun or waited for their next attempt, in the order in which they were
 *     accepted; they are the caller's again
 * @param unfinished the items that were still being handled at the deadline and were interrupted: lost, as far as the
 *     queue can say. How they end is still counted, and a failure becomes a dead letter
 * @param <T> the items
 * @since 0.1
 */
public record WorkReport<T>(long done, long deadLettered, List<T> returned, List<T> unfinished) {
    /**
     * Makes a report.
     *
     * @param done how many items were done
     * @param deadLettered how many became dead letters
     * @param returned the items that are handed back; copied
     * @param unfinished the items that were still being handled; copied
     * @throws NullPointerException if a list or an item is null
     */
    public WorkReport {
        returned = List.copyOf(Require.nonNull("returned", returned));
        unfinished = List.copyOf(Require.nonNull("unfinished", unfinished));
    }

    /**
     * Returns the numbers, without the items, which may be secret.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return done + " done, " + deadLettered + " dead letters, " + returned.size() + " returned, " + unfinished.size()
                + " unfinished";
    }
}
