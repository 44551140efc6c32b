package dev.levee.ratelimit;

import dev.levee.core.internal.Handles;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The permits that were taken in one span of time, in one word that can be closed. A closed count never changes again,
 * so the count of the next span can be made from it, by any thread, with the same result.
 */
class SpanCount {
    private static final VarHandle USED = Handles.field(MethodHandles.lookup(), "used", long.class);

    private static final VarHandle SUCCESSOR = Handles.field(MethodHandles.lookup(), "successor", long.class);

    /** The successor of a count that has none, because what it belongs to was closed. */
    static final long NONE = -1;

    /** The number, or its complement once the count is closed: then the word is negative. */
    private volatile long used;

    /**
     * Which span follows: 0 while that is open. Decided before the count is closed, so that all threads go on to the
     * same one.
     */
    private volatile long successor;

    SpanCount(long used) {
        this.used = used;
    }

    /** Returns the word: the number if it is not negative, else the count is closed. */
    final long word() {
        return used;
    }

    /** Proposes a successor, which is not 0. Returns the one that was proposed first. */
    final long succeedBy(long proposed) {
        return SUCCESSOR.compareAndSet(this, 0, proposed) ? proposed : successor;
    }

    /** Returns the successor; never 0 once the count is closed. */
    final long successor() {
        return successor;
    }

    /** Returns the number, closed or not. */
    final long used() {
        long word = used;
        return word < 0 ? ~word : word;
    }

    /** Returns whether the number was replaced; it was not if another thread was first. */
    final boolean replace(long expected, long next) {
        return USED.compareAndSet(this, expected, next);
    }

    /** Adds permits, up to a sum. Returns false if the count is closed. */
    final boolean charge(long permits, long most) {
        while (true) {
            long word = used;
            if (word < 0) {
                return false;
            }
            long room = Math.max(0, most - word);
            if (replace(word, word + Math.min(permits, room))) {
                return true;
            }
        }
    }

    /** Subtracts permits, down to 0. Returns false if the count is closed. */
    final boolean giveBack(long permits) {
        while (true) {
            long word = used;
            if (word <= 0) {
                return word == 0;
            }
            if (replace(word, Math.max(0, word - permits))) {
                return true;
            }
        }
    }

    /** Closes the count. Returns the number that stays. */
    final long close() {
        while (true) {
            long word = used;
            if (word < 0) {
                return ~word;
            }
            if (replace(word, ~word)) {
                return word;
            }
        }
    }
}
