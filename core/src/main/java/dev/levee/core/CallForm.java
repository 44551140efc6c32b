package dev.levee.core;

import org.jspecify.annotations.Nullable;

/** How the outcome of a call through gates is judged. See ADR 7. */
enum CallForm {
    /** The call ran on the current thread, which knows whether it was called off. */
    BLOCKING {
        @Override
        Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
            return Outcomes.judgeBlocking(rule, result, error);
        }
    },
    /** The call was a stage, which has ended on some thread. */
    ASYNCHRONOUS {
        @Override
        Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
            return Outcomes.judge(rule, result, error);
        }
    },
    /** The call was a stage, and an attempt before the one that it has ended with may have run. See ADR 68. */
    REPEATED {
        @Override
        Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
            Verdict verdict = Outcomes.judge(rule, result, error);
            return verdict == Verdict.NOT_SENT ? Verdict.FAILURE : verdict;
        }
    },
    /** The call was a stage that its caller had cancelled. */
    CANCELLED {
        @Override
        Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error) {
            return Verdict.IGNORED;
        }
    };

    abstract Verdict judge(OutcomeRule rule, @Nullable Object result, @Nullable Throwable error);
}
