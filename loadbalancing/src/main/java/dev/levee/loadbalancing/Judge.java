package dev.levee.loadbalancing;

import dev.levee.core.OutcomeRule;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks outcome rules, which are user code, in the way that core does: what they throw stays here. */
final class Judge {
    private static final Logger LOG = LoggerFactory.getLogger(LoadBalancer.class);

    private Judge() {}

    static Verdict verdict(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
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
}
