package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Applies outcome rules safely. For authors of policies, and for code that calls {@link Gate#exit} itself.
 *
 * <p>Rules are user code: what they throw never reaches a caller and never costs a permit.
 *
 * @since 0.1
 */
public final class Outcomes {
    private static final Logger LOG = LoggerFactory.getLogger(OutcomeRule.class);

    private Outcomes() {}

    /**
     * Judges an outcome. An error is {@linkplain #unwrap unwrapped} first, so that a call which joins a future is
     * judged as the future is. A {@link RefusedException} is {@link Verdict#IGNORED} unless the rule names it
     * ({@link OutcomeRule#judgeRefusal}); a rule that throws means {@link Verdict#FAILURE}, and is logged.
     *
     * @param rule the rule
     * @param result what the call returned
     * @param thrownError what it threw, or null
     * @return the verdict
     * @throws NullPointerException if an argument is null
     */
    public static Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable thrownError) {
        Throwable error = thrownError == null ? null : unwrap(thrownError);
        if (error instanceof RefusedException refusal) {
            Verdict named = judgeRefusal(rule, refusal);
            return named == null ? Verdict.IGNORED : named;
        }
        try {
            Verdict verdict = Require.nonNull("verdict", rule.judge(result, error));
            // Not sent at last, but perhaps before: then it cannot be said that the dependency has not seen the call.
            return verdict == Verdict.NOT_SENT && error != null && anySuppressedMayHaveRun(error)
                    ? Verdict.FAILURE
                    : verdict;
        } catch (Throwable thrown) {
            LOG.warn("Outcome rule {} threw; the call counts as a failure", rule, thrown);
            return Verdict.FAILURE;
        }
    }

    /**
     * Returns whether a call was surely not sent, so that its gates are left by {@link Gate#cancel}: a policy further
     * in refused it, and no attempt before may have run. For code that calls {@link Gate#exit} itself.
     *
     * @param verdict the verdict of the gate's rule; a refusal that the rule names is evidence, and goes to
     *     {@link Gate#exit}
     * @param thrownError what the call threw, or null
     * @return whether it was not sent
     */
    public static boolean isNotSent(Verdict verdict, @Nullable Throwable thrownError) {
        if (thrownError == null || verdict != Verdict.IGNORED) {
            return false;
        }
        Throwable error = unwrap(thrownError);
        return error instanceof RefusedException refusal && refusal.isBeforeAnyAttempt();
    }

    /** Whether one of the failures that a policy which repeats has suppressed in the last may be that of a call. */
    static boolean anySuppressedMayHaveRun(Throwable last) {
        for (Throwable earlier : last.getSuppressed()) {
            boolean notSent = earlier instanceof RefusedException refusal
                    ? refusal.isBeforeAnyAttempt()
                    : StandardRule.INSTANCE.judge(null, earlier) == Verdict.NOT_SENT;
            if (!notSent) {
                return true;
            }
        }
        return false;
    }

    /**
     * Returns whether a refusal by a policy further in may be repeated: unless the rule names it with a verdict that is
     * no failure. For authors of policies that repeat.
     *
     * @param rule the rule
     * @param refusal the refusal
     * @return whether another attempt is allowed
     */
    public static boolean mayBeRepeated(OutcomeRule rule, RefusedException refusal) {
        Verdict named = judgeRefusal(rule, refusal);
        return named == null || named.isFailure();
    }

    private static @Nullable Verdict judgeRefusal(OutcomeRule rule, RefusedException refusal) {
        try {
            return rule.judgeRefusal(refusal);
        } catch (Throwable thrown) {
            LOG.warn("Outcome rule {} threw; the refusal is judged by default", rule, thrown);
            return null;
        }
    }

    /**
     * Returns how long the dependency asked to be left alone. A rule that throws gives no hint, and is logged.
     *
     * @param rule the rule
     * @param verdict its verdict on the same outcome; after {@link Verdict#SUCCESS} the rule is not called
     * @param result what the call returned
     * @param thrownError what it threw, or null
     * @return nanoseconds, or {@link RefusedException#UNKNOWN}
     */
    public static long retryAfterNanos(
            OutcomeRule rule, Verdict verdict, @Nullable Object result, @Nullable Throwable thrownError) {
        if (verdict == Verdict.SUCCESS) {
            return RefusedException.UNKNOWN;
        }
        Throwable error = thrownError == null ? null : unwrap(thrownError);
        try {
            return error instanceof RefusedException refused
                    ? refused.retryAfterNanos()
                    : rule.retryAfterNanos(result, error);
        } catch (Throwable thrown) {
            LOG.warn("Outcome rule {} or the refusal threw; the hint is ignored", rule, thrown);
            return RefusedException.UNKNOWN;
        }
    }

    /**
     * Returns what a stage failed with, taken out of the wrapper that stages put around it.
     *
     * @param error the error that {@code whenComplete} was given
     * @return the cause of a {@code CompletionException} or {@code ExecutionException}, else the error itself
     */
    public static Throwable unwrap(Throwable error) {
        Throwable cause = error.getCause();
        return cause != null && (error instanceof CompletionException || error instanceof ExecutionException)
                ? cause
                : error;
    }
}
