package dev.levee.http.blocking;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import org.jspecify.annotations.Nullable;

/** Knows failures of requests that were not sent by their mark, besides those that it knows by their type. */
record SentRule(OutcomeRule rule) implements OutcomeRule {
    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        Verdict verdict = rule.judge(result, error);
        return error != null && verdict != Verdict.IGNORED && NotSent.isSaidOf(error) ? Verdict.NOT_SENT : verdict;
    }

    @Override
    public @Nullable Verdict judgeRefusal(RefusedException refusal) {
        return rule.judgeRefusal(refusal);
    }

    @Override
    public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        return rule.retryAfterNanos(result, error);
    }

    @Override
    public String toString() {
        return rule.toString();
    }
}
