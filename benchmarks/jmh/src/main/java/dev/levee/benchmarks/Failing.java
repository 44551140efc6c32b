package dev.levee.benchmarks;

import dev.failsafe.function.CheckedSupplier;
import dev.levee.core.Operation;
import java.util.function.Supplier;

/**
 * Work of which every so many calls fail, the first of them at once, with an exception that was made before: a question
 * about failures must not measure how one is made. It counts for itself, so each thread has one of its own.
 */
final class Failing implements Supplier<String>, CheckedSupplier<String>, Operation<String, RuntimeException> {
    /** What it throws: without a stack, and nothing can be added to it. */
    static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failure() {
            super("failed", null, false, false);
        }
    }

    final Failure failure = new Failure();
    private final String answer = Long.toString(ProcessHandle.current().pid());
    private final int every;
    private int left = 1;
    private long failures;

    /**
     * Work that fails regularly.
     *
     * @param every how many calls there are for one that fails
     */
    Failing(int every) {
        this.every = every;
    }

    @Override
    public String get() {
        if (--left == 0) {
            left = every;
            failures++;
            throw failure;
        }
        return answer;
    }

    @Override
    public String run() {
        return get();
    }

    /** Returns how many calls have failed. */
    long failures() {
        return failures;
    }
}
