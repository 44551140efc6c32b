package dev.levee.benchmarks;

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
}
