package dev.levee.benchmarks.caching;

import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Which key a thread reads next: each of them in turn, in an order that jumps. */
@State(Scope.Thread)
public class Turn {
    /** Odd, so that every key has its turn. */
    private static final int STEP = 7_919;

    private int next = System.identityHashCode(new Object());

    /** A key that is there. */
    Integer next() {
        next += STEP;
        return Given.key(next);
    }

    /** How many turns there were, which is another number for each call of a thread. */
    int count() {
        return next++;
    }
}
