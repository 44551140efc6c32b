package dev.levee.core;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks outcome rules, which are user code, so that what they throw never reaches a caller or loses a permit. */
final class Outcomes {
    private static final Logger LOG = LoggerFactory.getLogger(OutcomeRule.class);

    private Outcomes() {}

    static Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
        if (error instanceof RefusedException) {
            return Verdict.IGNORED;
        }
        try {
            return rule.judge(result, error);
        } catch (Throwable thrown) {
            LOG.warn("Outcome rule {} threw; the call counts as a failure", rule, thrown);
            return Verdict.FAILURE;
        }
    }

    static long retryAfterNanos(OutcomeRule rule, Verdict verdict, @Nullable Object result, @Nullable Throwable error) {
        if (verdict == Verdict.SUCCESS) {
            return RefusedException.UNKNOWN;
        }
        try {
            return rule.retryAfterNanos(result, error);
        } catch (Throwable thrown) {
            LOG.warn("Outcome rule {} threw; its hint is ignored", rule, thrown);
            return RefusedException.UNKNOWN;
        }
    }

    /** What a stage failed with, taken out of the wrapper that stages put around it. */
    static Throwable unwrap(Throwable error) {
        Throwable cause = error.getCause();
        return cause != null && (error instanceof CompletionException || error instanceof ExecutionException)
                ? cause
                : error;
    }
}
