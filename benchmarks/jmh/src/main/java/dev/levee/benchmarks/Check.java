package dev.levee.benchmarks;

import org.jspecify.annotations.Nullable;

/** A subject that answers another question than the one asked must fail, not win. */
final class Check {
    private Check() {}

    /**
     * Fails the fork unless something holds.
     *
     * @param holds what must be true
     * @param otherwise what it means if it is not
     */
    static void that(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }

    /**
     * Fails the fork unless a call gave what its work gives.
     *
     * @param expected the answer of the work
     * @param answer that of the call
     */
    static void answer(String expected, @Nullable String answer) {
        if (!expected.equals(answer)) {
            throw new IllegalStateException("answered " + answer);
        }
    }

    /**
     * Fails the fork unless a call failed as it had to.
     *
     * @param expected what it had to throw
     * @param error what it threw
     */
    static void failure(Class<? extends Throwable> expected, @Nullable Throwable error) {
        if (!expected.isInstance(error)) {
            throw new IllegalStateException("failed by " + error);
        }
    }

    /**
     * Fails the fork unless a window of 100 calls has seen what the work does. Two threads that fail regularly, each by
     * itself, can have one more or one less in it.
     *
     * @param rate what the breaker says, from 0 to 1
     * @param every how many calls there are for one that fails
     */
    static void failureRate(double rate, int every) {
        double expected = 1.0 / every;
        that(Math.abs(rate - expected) < 0.0101, "a failure rate of " + rate + " instead of " + expected);
    }
}
