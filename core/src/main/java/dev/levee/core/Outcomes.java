package dev.levee.core;

import dev.levee.core.internal.CallState;
import dev.levee.core.internal.InterruptOnce;
import dev.levee.core.internal.NoOutcome;
import dev.levee.core.internal.Require;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Applies outcome rules safely. For authors of policies, and for code that calls {@link Gate#exit} itself.
 *
 * <p>Rules are user code: what they throw never reaches a caller and never costs a permit.
 *
 * @since 0.1
 */
public final class Outcomes {
    private static final String TIMED_OUT = "dev.levee.core.policy.TimedOutException";
    private static final Predicate<Throwable> IS_REFUSAL = RefusedException.class::isInstance;

    private Outcomes() {}

    /**
     * Judges an outcome. An error is {@linkplain #unwrap unwrapped} first, so that a call which joins a future is
     * judged as the future is. A {@link RefusedException} is {@link Verdict#IGNORED} unless the rule names it
     * ({@link OutcomeRule#judgeRefusal}); where a rule throws or has no verdict, {@link OutcomeRule#standard()}
     * decides, and the rule is logged once.
     *
     * @param rule the rule
     * @param result what the call returned
     * @param thrownError what it threw, or null
     * @return the verdict
     * @throws NullPointerException if an argument is null
     */
    public static Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable thrownError) {
        try {
            return judged(rule, result, thrownError);
        } catch (Throwable thrown) { // an exception whose own methods throw, or no memory
            return worst(rule, thrownError, thrown);
        }
    }

    /** Returns what an outcome counts as that cannot be judged, so that permits come back all the same. */
    private static Verdict worst(OutcomeRule rule, @Nullable Throwable error, Throwable thrown) {
        RuleFailures.log(rule, "or what it judges did; a call that threw counts as failed", thrown);
        return error == null ? Verdict.SUCCESS : Verdict.FAILURE;
    }

    private static Verdict judged(OutcomeRule rule, @Nullable Object result, @Nullable Throwable thrownError) {
        Throwable error = thrownError == null ? null : unwrap(thrownError);
        RefusedException refusal = error == null ? null : refusal(error);
        if (refusal != null) {
            Verdict named = judgeRefusal(rule, refusal);
            return named == null ? Verdict.IGNORED : named;
        }
        if (error instanceof NoOutcome) {
            return Verdict.IGNORED;
        }
        try {
            Verdict verdict = Require.nonNull("verdict", rule.judge(result, error));
            // Not sent at last, but perhaps before: then it cannot be said that the dependency has not seen the call.
            return verdict == Verdict.NOT_SENT && error != null && anySuppressedMayHaveRun(error)
                    ? Verdict.FAILURE
                    : verdict;
        } catch (Throwable thrown) {
            RuleFailures.log(rule, "the standard rule decides", thrown);
            return StandardRule.INSTANCE.judge(result, error);
        }
    }

    /**
     * Judges the outcome of a call that ran on the current thread, as {@link #judge} does, and takes care of calls that
     * were cut short: a failure is {@link Verdict#IGNORED} whatever was thrown,
     *
     * <ul>
     *   <li>if the call was called off before its time was up: it lost against another attempt of a hedge, or its
     *       caller on another thread was interrupted;
     *   <li>if the thread is interrupted, or the error says so, and no timeout has ended the call: a deadline that only
     *       the caller has set ends nothing by itself.
     * </ul>
     *
     * <p>An interrupt by a timeout whose time is up is no such case, nor is a {@code TimedOutException} of a thread
     * that is interrupted: how the call ends then is judged by the rule. A caller that was interrupted from outside
     * cannot be told from another one where the operation swallows the interrupt and throws something that does not
     * name it. A call that was surely {@linkplain Verdict#NOT_SENT not sent} at last is a failure if a retry or hedge
     * further in has made an attempt before that may have been. Use this where a call is left on the thread that it ran
     * on, and {@link #judge} for a stage that has ended.
     *
     * @param rule the rule
     * @param result what the call returned
     * @param thrownError what it threw, or null
     * @return the verdict
     */
    public static Verdict judgeBlocking(OutcomeRule rule, @Nullable Object result, @Nullable Throwable thrownError) {
        Verdict verdict = judge(rule, result, thrownError);
        try {
            if (verdict.isFailure() && isCutShort(rule, thrownError)) {
                return Verdict.IGNORED;
            }
            return verdict == Verdict.NOT_SENT
                            && thrownError != null
                            && CallState.current().endedAfterRun(thrownError)
                    ? Verdict.FAILURE
                    : verdict;
        } catch (Throwable thrown) { // a clock, or an exception whose own methods throw
            return worst(rule, thrownError, thrown);
        }
    }

    private static boolean isCutShort(OutcomeRule rule, @Nullable Throwable error) {
        CallState state = CallState.current();
        if (state.isCalledOff()) {
            return true;
        }
        boolean interrupted = Thread.currentThread().isInterrupted();
        boolean untimed = isUntimed(state);
        if (error == null || !(interrupted || untimed) || Causes.isA(error, TIMED_OUT)) {
            return false;
        }
        Deadline deadline = CallContext.current().deadline();
        if (deadline == null || !deadline.isExpired()) {
            return interrupted;
        }
        return untimed
                && (interrupted || (StandardRule.isCutShort(error) && isIgnoredWithoutDeadline(state, rule, error)));
    }

    /** Whether there is a deadline that only the caller has set, and no timeout has interrupted the call. */
    private static boolean isUntimed(CallState state) {
        InterruptOnce alarm = state.alarm();
        return state.clock() != null && !state.isTimed() && (alarm == null || !alarm.isTimeUp());
    }

    /** Whether it is the deadline alone that makes a failure of what was cut short. See ADR 196. */
    private static boolean isIgnoredWithoutDeadline(CallState state, OutcomeRule rule, Throwable error) {
        Object clock = state.clock();
        long nanos = state.deadlineNanos();
        Object snapshot = state.snapshot();
        state.restoreDeadline(null, 0, null);
        try {
            return judge(rule, null, error) == Verdict.IGNORED;
        } finally {
            state.restoreDeadline(clock, nanos, snapshot);
        }
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

    /**
     * Returns the refusal that an exception is, or carries as {@linkplain OutcomeRule#standard() such a wrapper} that
     * rules look through. For authors of policies. That the call did not run is said by {@link #mayHaveRun} alone,
     * which looks no further than futures do: code that wraps a refusal may have done something before.
     *
     * @param thrown what a call threw
     * @return the refusal, or null if it is none
     */
    public static @Nullable RefusedException refusal(Throwable thrown) {
        if (thrown instanceof RefusedException refusal) { // without an object, which a refusal must not cost
            return refusal;
        }
        try {
            return (RefusedException) Causes.carried(thrown, IS_REFUSAL);
        } catch (Throwable broken) { // an exception whose own methods throw
            return null;
        }
    }

    private static @Nullable Verdict judgeRefusal(OutcomeRule rule, RefusedException refusal) {
        try {
            return rule.judgeRefusal(refusal);
        } catch (Throwable thrown) {
            RuleFailures.log(rule, "refusals are judged by default", thrown);
            return null;
        }
    }

    /**
     * Returns whether the operation of a call that has ended with an exception may have run, for code that must know
     * whether something was done: a payment that is refused after an attempt that timed out may have been made.
     *
     * <pre>{@code
     * } catch (RuntimeException failure) {
     *     if (Outcomes.mayHaveRun(failure)) { lookUp(order); } else { tryLater(order); }
     * }
     * }</pre>
     *
     * <p>It is false only for a {@link RefusedException} of a call of which no attempt has run: the guarantee of every
     * refusal, however many retries and hedges stand around what refused. For every other exception it is true, because
     * the operation has thrown it or was cut short. Whether it had an effect is for the other side to say, and for a
     * rule that knows what {@link Verdict#NOT_SENT} means.
     *
     * @param thrown what the call threw, or its future failed with
     * @return false if the operation surely did not run
     * @throws NullPointerException if {@code thrown} is null
     */
    public static boolean mayHaveRun(Throwable thrown) {
        return !(unwrap(Require.nonNull("thrown", thrown)) instanceof RefusedException refusal) || refusal.mayHaveRun();
    }

    /**
     * Returns whether an attempt that has ended may have run, as far as its rule can say. For authors of policies that
     * repeat.
     *
     * @param verdict the verdict on its outcome
     * @param thrownError what it threw, or null if it returned
     * @return false if it was refused, or surely not sent
     */
    public static boolean mayHaveRun(Verdict verdict, @Nullable Throwable thrownError) {
        return verdict != Verdict.NOT_SENT && (thrownError == null || mayHaveRun(thrownError));
    }

    /** Whether an attempt that failed may have run, as far as the standard rule can say. */
    static boolean attemptMayHaveRun(Throwable error) {
        return mayHaveRun(error) && StandardRule.INSTANCE.judge(null, unwrap(error)) != Verdict.NOT_SENT;
    }

    /** Whether one of the failures that were repeated, and suppressed in the last, may be that of a call which ran. */
    private static boolean anySuppressedMayHaveRun(Throwable last) {
        for (Throwable earlier : last.getSuppressed()) {
            if (attemptMayHaveRun(earlier)) {
                return true;
            }
        }
        return false;
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
        try {
            Throwable error = thrownError == null ? null : unwrap(thrownError);
            RefusedException refused = error == null ? null : refusal(error);
            return refused == null ? rule.retryAfterNanos(result, error) : refused.retryAfterNanos();
        } catch (Throwable thrown) {
            RuleFailures.log(rule, "or the refusal did; there is no hint", thrown);
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
        if (!(error instanceof CompletionException || error instanceof ExecutionException)) {
            return error; // without asking it for its cause: its methods are those of a user
        }
        Throwable cause = error.getCause();
        return cause == null ? error : cause;
    }
}
