package dev.levee.cache.writebehind;

import dev.levee.core.Environment;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Text;
import dev.levee.core.policy.Backoff;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.concurrent.CancellationException;

/**
 * What becomes of a write that the store did not take. Rules and backoffs are code of the user: what they throw never
 * costs a write.
 */
final class WriteFates {
    private static final long FALLBACK_NANOS = Duration.ofSeconds(1).toNanos();
    private static final long MAX_HINT_NANOS = Duration.ofHours(1).toNanos();
    private static final int MAX_CAUSES = 16;
    private static final int MAX_TEXT_CHARACTERS = 1000;

    private final OutcomeRule rule;
    private final Backoff backoff;
    private final int maxTries;
    private final boolean givesUp;
    private final Environment environment;

    WriteFates(WriteBehindConfig<?, ?> config, Environment environment) {
        this.rule = config.outcomes();
        this.backoff = config.backoff();
        this.maxTries = config.maxTries();
        this.givesUp = config.maxDead() > 0;
        this.environment = environment;
    }

    /** What becomes of a write. */
    enum Fate {
        WRITTEN,
        RETRY,
        DEAD
    }

    /** Judges a write that has failed by itself, and counts the try. */
    Fate of(WriteOp<?, ?> op, Throwable thrown) {
        op.failures++;
        Verdict verdict = Outcomes.judge(rule, null, thrown);
        Throwable error = unwrapped(thrown);
        boolean refused = error instanceof RefusedException;
        if (verdict == Verdict.SUCCESS) {
            return Fate.WRITTEN;
        }
        if (verdict == Verdict.FAILURE || (verdict == Verdict.IGNORED && !refused) || isCutShort(error)) {
            op.tries++;
        }
        boolean repeated = error instanceof RefusedException refusal
                ? Outcomes.mayBeRepeated(rule, refusal)
                : verdict != Verdict.IGNORED || isCutShort(error);
        boolean forbidden =
                !refused && Outcomes.retryAfterNanos(rule, verdict, null, thrown) == OutcomeRule.DO_NOT_RETRY;
        return givesUp && (!repeated || forbidden || op.tries >= maxTries) ? Fate.DEAD : Fate.RETRY;
    }

    /** Whether the failure of a batch may be that of one of its writes, so that it helps to split it. */
    boolean isOfBatch(Throwable thrown) {
        Throwable error = unwrapped(thrown);
        if (error instanceof RefusedException || isCutShort(error)) {
            return false;
        }
        Verdict verdict = Outcomes.judge(rule, null, thrown);
        return verdict != Verdict.NOT_SENT && verdict != Verdict.THROTTLED;
    }

    /** Returns how long a write waits for its next try. */
    long delayNanos(WriteOp<?, ?> op, Throwable thrown) {
        long delay;
        try {
            delay = backoff.delayNanos(Math.max(op.failures, 1), op.delay, environment.random());
        } catch (Throwable broken) {
            delay = -1;
        }
        long wait = delay < 0 ? FALLBACK_NANOS : Math.min(delay, Nanos.NEVER);
        long hint = Outcomes.retryAfterNanos(rule, Verdict.FAILURE, null, thrown);
        return hint <= 0 || hint == OutcomeRule.DO_NOT_RETRY ? wait : Math.max(wait, Math.min(hint, MAX_HINT_NANOS));
    }

    /** The methods of an exception are code of the user. */
    private static Throwable unwrapped(Throwable thrown) {
        try {
            return Outcomes.unwrap(thrown);
        } catch (Throwable broken) {
            return thrown;
        }
    }

    /** Whether a call was ended from outside: that says nothing about the write. */
    private static boolean isCutShort(Throwable error) {
        try {
            Throwable cause = error;
            for (int i = 0; cause != null && i < MAX_CAUSES; i++) {
                if (cause instanceof InterruptedException
                        || cause instanceof ClosedByInterruptException
                        || cause instanceof CancellationException) {
                    return true;
                }
                cause = cause.getCause();
            }
        } catch (Throwable broken) { // the methods of an exception are code of the user
            return false;
        }
        return false;
    }

    String text(Throwable thrown) {
        String text = WriteRefusedException.describe(thrown);
        return Text.escaped(text.length() > MAX_TEXT_CHARACTERS ? text.substring(0, MAX_TEXT_CHARACTERS) : text);
    }
}
