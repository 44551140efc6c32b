package dev.levee.ratelimit.work;

import dev.levee.core.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * An item that a {@link WorkQueue} has given up on: its attempts are used up, or its failure is not to be repeated.
 *
 * @param id distinguishes it from every other dead letter of its queue
 * @param item the item
 * @param verdict the verdict on the last attempt; {@link Verdict#IGNORED} is not repeated
 * @param cause what the last attempt threw, or its stage failed with; null if it returned a result that the rule calls
 *     a failure
 * @param attempts how many attempts were made, from 0: those that a policy refused do not count
 * @param firstNanos when its first attempt ended, a reading of the clock of the queue's environment: only the
 *     difference to another reading means anything
 * @param lastNanos when its last attempt ended, a reading of the same clock
 * @param <T> the items
 * @since 0.1
 */
public record DeadLetter<T>(
        long id, T item, Verdict verdict, @Nullable Throwable cause, int attempts, long firstNanos, long lastNanos) {
    /**
     * Returns everything but the item, which may be secret.
     *
     * @return one line
     */
    @Override
    public String toString() {
        return "dead letter " + id + " after " + attempts + " attempts, " + verdict
                + (cause == null ? "" : ", " + cause.getClass().getName());
    }
}
