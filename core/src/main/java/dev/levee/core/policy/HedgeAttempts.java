package dev.levee.core.policy;

import dev.levee.core.CallFuture;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.internal.NoOutcome;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Walks over the attempts of a {@link HedgedCall}, a linked list with the latest attempt first. Each method takes that
 * attempt, which is null before there is any. See ADR 29.
 */
final class HedgeAttempts {
    private HedgeAttempts() {}

    static <T extends @Nullable Object> @Nullable HedgeAttempt<T> first(@Nullable HedgeAttempt<T> latest) {
        HedgeAttempt<T> attempt = latest;
        while (attempt != null && attempt.previous != null) {
            attempt = attempt.previous;
        }
        return attempt;
    }

    static <T extends @Nullable Object> @Nullable HedgeAttempt<T> latestSetAside(@Nullable HedgeAttempt<T> latest) {
        HedgeAttempt<T> attempt = latest;
        while (attempt != null && !attempt.setAside) {
            attempt = attempt.previous;
        }
        return attempt;
    }

    /**
     * Returns the attempt whose outcome is that of a call which has ended at its deadline: the last one, unless that
     * still waited for its turn when the time was up, and another one ran. See ADR 196.
     */
    static <T extends @Nullable Object> HedgeAttempt<T> decisive(
            @Nullable HedgeAttempt<T> latest, HedgeAttempt<T> last) {
        HedgeAttempt<T> ran = last.error instanceof RefusedException ? latest : null;
        while (ran != null && (!ran.setAside || ran.error == null || ran.error instanceof RefusedException)) {
            ran = ran.previous;
        }
        return ran == null ? last : ran;
    }

    /** Returns the failures of the attempts but one, in the order in which the attempts were started. */
    static <T extends @Nullable Object> SuppressedFailures failures(
            @Nullable HedgeAttempt<T> latest, @Nullable HedgeAttempt<T> but) {
        Deque<Throwable> inOrder = new ArrayDeque<>();
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt != but && attempt.setAside && attempt.error != null) {
                inOrder.addFirst(attempt.error);
            }
        }
        SuppressedFailures failures = new SuppressedFailures();
        inOrder.forEach(failures::add);
        return failures;
    }

    /** Whether any attempt but one may have run, as far as the rule of the hedge can say. */
    static <T extends @Nullable Object> boolean mayHaveRun(
            @Nullable HedgeAttempt<T> latest, @Nullable HedgeAttempt<T> but) {
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt != but && attempt.future != null && mayHaveRun(attempt)) {
                return true;
            }
        }
        return false;
    }

    private static boolean mayHaveRun(HedgeAttempt<?> attempt) {
        if (!attempt.setAside || attempt.error == null) {
            return true; // it runs, or has returned
        }
        CompletableFuture<?> ended = attempt.future;
        return (ended != null && CallFuture.mayHaveRunBefore(ended))
                || Outcomes.mayHaveRun(Outcomes.judge(attempt.call.hedge.outcomes, null, attempt.error), attempt.error);
    }

    /**
     * Takes all timers back, and asks all attempts in flight but one to end.
     *
     * @param reason what they are asked with; null for that another attempt has settled the call
     */
    static <T extends @Nullable Object> void cancel(
            @Nullable HedgeAttempt<T> latest, @Nullable HedgeAttempt<T> but, @Nullable Throwable reason) {
        Throwable shown = reason;
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            attempt.cancelTimer();
            CompletableFuture<T> running = attempt.future;
            if (attempt != but && running != null && !running.isDone()) {
                shown = shown == null ? settledByAnother() : shown;
                CallFuture.requestCancel(running, shown);
            }
        }
    }

    /** Whether attempts are in flight and each of them waits for its turn at a gate, or has just done so in vain. */
    static <T extends @Nullable Object> boolean areQueued(@Nullable HedgeAttempt<T> latest) {
        boolean any = false;
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            CompletableFuture<T> running = attempt.future;
            boolean queued = running instanceof CallFuture<?> call && call.isQueued();
            if (!queued && (running == null || !running.isDone())) {
                return false;
            }
            any |= queued && !attempt.setAside;
        }
        return any;
    }

    /**
     * Takes the timers back of attempts up to a number; not those of attempts that another thread has started since.
     */
    static <T extends @Nullable Object> void cancelTimers(@Nullable HedgeAttempt<T> latest, int upTo) {
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt.number <= upTo) {
                attempt.cancelTimer();
            }
        }
    }

    /**
     * Discards the results of all attempts but one that counted as failures, such as a response with an error status.
     */
    static <T extends @Nullable Object> void discardResults(
            @Nullable HedgeAttempt<T> latest, @Nullable HedgeAttempt<T> but) {
        for (HedgeAttempt<T> attempt = latest; attempt != null; attempt = attempt.previous) {
            if (attempt != but) {
                attempt.discard();
            }
        }
    }

    static CancellationException settledByAnother() {
        return new SettledByAnother();
    }

    /** Why an attempt is asked to end that has lost: whatever it ends with is no evidence, also after a deadline. */
    private static final class SettledByAnother extends CancellationException implements NoOutcome {
        private static final long serialVersionUID = 1L;

        SettledByAnother() {
            super("another attempt of the hedge has settled the call");
        }
    }
}
