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
 * @param blocking whether it is the only letter of its key and later writes of the key are refused since, see
 *     {@link DeadKey#BLOCK}: then it is the newest write of the key, and its value is read after a restart too
 * @param <K> the keys
 * @param <V> the values
 * @since 0.1
 */
public record DeadWrite<K, V>(PendingWrite<K, V> write, String error, int tries, Instant diedAt, boolean blocking) {
    /**
     * Makes a dead letter.
     *
     * @param write what was to be written
     * @param error the class and message of the last failure
     * @param tries how often it was tried by itself, from 1: without refusals, what was surely not sent, and batches
     *     that failed as a whole
     * @param diedAt when it was given up
     * @param blocking whether it is the only letter of its key and later writes of the key are refused since
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if tries is less than 1
     */
    public DeadWrite {
        Require.nonNull("write", write);
        Require.nonNull("error", error);
        Require.range("tries", tries, 1, Integer.MAX_VALUE);
        Require.nonNull("diedAt", diedAt);
    }

    /**
     * Makes a dead letter that does not block its key.
     *
     * @param write what was to be written
     * @param error the class and message of the last failure
     * @param tries how often it was tried by itself, from 1
     * @param diedAt when it was given up
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if tries is less than 1
     */
    public DeadWrite(PendingWrite<K, V> write, String error, int tries, Instant diedAt) {
        this(write, error, tries, diedAt, false);
    }

    /** Returns the letter as one whose key takes later writes. */
    DeadWrite<K, V> notBlocking() {
        return new DeadWrite<>(write, error, tries, diedAt);
    }
}
