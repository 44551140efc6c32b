package dev.levee.http;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * Judges the response in a {@link Reply}, for policies that choose where to go next: that one endpoint wants to be left
 * alone does not keep a call from asking another one.
 */
record ReplyRule(OutcomeRule rule) implements OutcomeRule {
    @Override
    public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
        if (!(result instanceof Reply<?> reply)) {
            return rule.judge(result, error);
        }
        Verdict verdict = rule.judge(reply.response, error);
        boolean asFailure = (verdict == Verdict.THROTTLED && reply.othersMayAnswer())
                || (verdict == Verdict.NOT_SENT && reply.bodyIsUsedUp());
        return asFailure ? Verdict.FAILURE : verdict;
    }

    @Override
    public @Nullable Verdict judgeRefusal(RefusedException refusal) {
        return rule.judgeRefusal(refusal);
    }

    @Override
    public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        if (!(result instanceof Reply<?> reply)) {
            return rule.retryAfterNanos(result, error);
        }
        return reply.othersMayAnswer() ? RefusedException.UNKNOWN : rule.retryAfterNanos(reply.response, error);
    }

    @Override
    public String toString() {
        return rule.toString();
    }
}
