package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/** A rule that tests one condition, and leaves every other outcome to the rule that it was made from. */
abstract class ComposedRule implements OutcomeRule {
    final OutcomeRule base;

    private ComposedRule(OutcomeRule base) {
        this.base = base;
    }

    /** Whether a condition applies; one that throws does not, and leaves the outcome to the rule below. */
    final <V> boolean holds(Condition<? super V> condition, V value) {
        try {
            return condition.test(value);
        } catch (Throwable thrown) {
            RuleFailures.log(this, "the condition does not apply, and the rule that it was added to decides", thrown);
            return false;
        }
    }

    static OutcomeRule onError(OutcomeRule base, Condition<? super Throwable> condition, Verdict verdict) {
        Require.nonNull("condition", condition);
        Require.nonNull("verdict", verdict);
        return new ComposedRule(base) {
            @Override
            public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
                return error != null && holds(condition, error) ? verdict : base.judge(result, error);
            }
        };
    }

    static <E extends Throwable> OutcomeRule onError(
            OutcomeRule base, Class<E> type, Condition<? super E> condition, Verdict verdict) {
        Require.nonNull("type", type);
        Require.nonNull("condition", condition);
        Require.nonNull("verdict", verdict);
        boolean namesRefusals = RefusedException.class.isAssignableFrom(type);
        return new ComposedRule(base) {
            @Override
            public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
                return error != null && applies(error) ? verdict : base.judge(result, error);
            }

            @Override
            public @Nullable Verdict judgeRefusal(RefusedException refusal) {
                return namesRefusals && applies(refusal) ? verdict : base.judgeRefusal(refusal);
            }

            private boolean applies(Throwable error) {
                return Causes.anyCarried(error, this::isMeant);
            }

            private boolean isMeant(Throwable error) {
                return type.isInstance(error) && holds(condition, type.cast(error));
            }
        };
    }

    static OutcomeRule onCause(OutcomeRule base, Class<? extends Throwable> type, Verdict verdict) {
        Require.nonNull("type", type);
        Require.nonNull("verdict", verdict);
        boolean namesRefusals = RefusedException.class.isAssignableFrom(type);
        return new ComposedRule(base) {
            @Override
            public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
                return error != null && Causes.any(error, type::isInstance) ? verdict : base.judge(result, error);
            }

            @Override
            public @Nullable Verdict judgeRefusal(RefusedException refusal) {
                return namesRefusals && Causes.any(refusal, type::isInstance) ? verdict : base.judgeRefusal(refusal);
            }
        };
    }

    static <R> OutcomeRule onResult(OutcomeRule base, Class<R> type, Condition<? super R> condition, Verdict verdict) {
        Require.nonNull("type", type);
        Require.nonNull("condition", condition);
        Require.nonNull("verdict", verdict);
        return new ComposedRule(base) {
            @Override
            public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
                return error == null && type.isInstance(result) && holds(condition, type.cast(result))
                        ? verdict
                        : base.judge(result, error);
            }
        };
    }

    static OutcomeRule retryAfter(OutcomeRule base, ToLongBiFunction<@Nullable Object, @Nullable Throwable> hint) {
        Require.nonNull("hint", hint);
        return new ComposedRule(base) {
            @Override
            public Verdict judge(@Nullable Object result, @Nullable Throwable error) {
                return base.judge(result, error);
            }

            @Override
            public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
                long nanos = hint.applyAsLong(result, error);
                return nanos < 0 ? base.retryAfterNanos(result, error) : nanos;
            }
        };
    }

    @Override
    public @Nullable Verdict judgeRefusal(RefusedException refusal) {
        return base.judgeRefusal(refusal);
    }

    @Override
    public long retryAfterNanos(@Nullable Object result, @Nullable Throwable error) {
        return base.retryAfterNanos(result, error);
    }
}
