package dev.levee.benchmarks;

import dev.failsafe.function.CheckedSupplier;
import dev.levee.core.Operation;
import java.util.function.Supplier;

/**
 * The call that every subject guards: it returns a field.
 *
 * <p>One class plays the functional interface of each library, so that they all guard the same code and none pays for
 * an adapter.
 */
public final class Work implements Supplier<String>, CheckedSupplier<String>, Operation<String, RuntimeException> {
    private final String answer;

    /** Work that answers something the compiler cannot know. */
    public Work() {
        this.answer = Long.toString(ProcessHandle.current().pid());
    }

    @Override
    public String get() {
        return answer;
    }

    @Override
    public String run() {
        return answer;
    }
}
