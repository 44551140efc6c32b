package dev.levee.core.policy;

import dev.levee.core.Around;
import dev.levee.core.Environment;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Throws another exception in place of one, such as that of your domain for those of a driver.
 *
 * <p>Put it outermost: then every policy judges what really happened. What stands around it sees the translation alone,
 * with all that follows: a refusal that is translated is a failure to a breaker and a retry further out, and a hint how
 * long to wait, or that a call was not sent, is lost unless their rules know the translation too. Put it inside only to
 * make an exception known to rules, such as one that a client hides in a type of its own; for that
 * {@link dev.levee.core.OutcomeRule#onCause} is enough most of the time.
 *
 * <pre>{@code
 * Translate domain = Translate.of("orders", failure -> failure instanceof SQLException
 *         ? new OrdersUnavailable(failure)      // with the failure as its cause
 *         : null);                              // anything else as it is
 * Order order = Pipeline.of(domain, CircuitBreaker.of("orders"), Bulkhead.of("orders", 20)).call(() -> find(id));
 * }</pre>
 *
 * <p>Every {@link Exception} is shown to the function, a {@link dev.levee.core.RefusedException} included, but no
 * interrupt, no cancel and no {@link Error}: these say something to threads and policies, and come through as they are.
 * An exception of the function is logged, and the failure thrown as it is. Permits are given back before it is called.
 * It runs on the thread that failed; it must not block.
 *
 * <p>Thread-safe. A call that does not fail costs nothing; an asynchronous one whose stage is not complete costs one
 * future.
 *
 * @since 0.1
 */
public interface Translate extends Around {
    /**
     * Makes a translation, in {@link Environment#system()}.
     *
     * @param name for logs
     * @param translation returns what is thrown in place of a failure, and null to leave it as it is; a checked
     *     exception must be one that the guarded calls declare, which the compiler cannot check
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Translate of(String name, Function<? super Exception, ? extends @Nullable Exception> translation) {
        return of(name, translation, Environment.system());
    }

    /**
     * Makes a translation.
     *
     * @param name for logs
     * @param translation returns what is thrown in place of a failure, and null to leave it as it is; a checked
     *     exception must be one that the guarded calls declare, which the compiler cannot check
     * @param environment that of the other policies in its pipeline
     * @return the policy
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if the name is blank or has a control character
     */
    static Translate of(
            String name,
            Function<? super Exception, ? extends @Nullable Exception> translation,
            Environment environment) {
        return new FailureTranslation(name, translation, environment);
    }

    @Override
    default Kind kind() {
        return Kind.TRANSLATE;
    }
}
