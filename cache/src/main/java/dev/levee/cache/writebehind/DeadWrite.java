package dev.levee.cache.writebehind;

import dev.levee.core.internal.Require;
import java.time.Instant;

/**
 * A write that was given up: its tries are used up, or its failure is not to be repeated. The dead letter of a
 * write-behind; it can be listed, replayed and discarded.
 *
 * @param write what was to be written
 * @param error the class and message of the last failure, for people to read
 * @param tries how often it was tried by itself, from 1: without refusals, what was surely not sent, and batches that
 *     failed as a whole
 * @param diedAt when it was given up, by the wall clock of the machine
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public record DeadWrite<K, V>(PendingWrite<K, V> write, String error, int tries, Instant diedAt) {
    /**
     * Makes a dead letter.
     *
     * @param write what was to be written
     * @param error the class and message of the last failure
     * @param tries how often it was tried by itself, from 1: without refusals, what was surely not sent, and batches
     *     that failed as a whole
     * @param diedAt when it was given up
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if tries is less than 1
     */
    public DeadWrite {
        Require.nonNull("write", write);
        Require.nonNull("error", error);
        Require.range("tries", tries, 1, Integer.MAX_VALUE);
        Require.nonNull("diedAt", diedAt);
    }
}
