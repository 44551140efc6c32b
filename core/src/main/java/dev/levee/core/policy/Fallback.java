package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Answers a failed call with a substitute.
 *
 * <p>Outermost in a pipeline: what stands around it sees only the substitute. Use it where a stale or empty answer is better than none,
 * and not where the caller must know (a payment). The substitute must fit the type of the guarded call, which the compiler cannot check:
 * use one fallback per kind of call.
 *
 * <p>By default it stands in for every exception, a refusal included, but not for an {@link Error}, nor when the caller's thread was
 * interrupted or the call cancelled. If the source of substitutes throws, that is thrown with the original failure suppressed. Thread-safe.
 * A call that does not fail costs nothing.
 *
 * <p>Events: {@code onDegraded}. Metrics: {@code fallback.degraded}.
 *
 * @since 0.1
 */
public interface Fallback extends Around, Measured {
    /**
     * A fallback for every exception.
     *
     * @param name for metrics
     * @param source gives the substitute for a failure, on the thread that failed; may return null
     * @return the fallback
     * @throws IllegalArgumentException if the name is blank
     */
    static Fallback of(String name, Function<? super Throwable, ? extends @Nullable Object> source) {
        return of(name, SubstitutingFallback.ORDINARY, source, Environment.system());
    }

    /**
     * A fallback for chosen failures.
     *
     * @param name for metrics
     * @param when which failures are replaced; a predicate that throws replaces none; an {@code InterruptedException} that is
     *     replaced in a blocking call sets the flag of the thread again
     * @param source gives the substitute for a failure, on the thread that failed; may return null
     * @param environment whose listener is told
     * @return the fallback
     * @throws IllegalArgumentException if the name is blank
     */
    static Fallback of(
            String name,
            Predicate<? super Throwable> when,
            Function<? super Throwable, ? extends @Nullable Object> source,
            Environment environment) {
        return new SubstitutingFallback(name, when, source, environment);
    }

    @Override
    default Kind kind() {
        return Kind.FALLBACK;
    }
}
