package dev.levee.core.signals;

import dev.levee.core.CallFuture;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * One asynchronous call under a {@link StripedCallMeter}: counted when its work has ended, before its caller sees that.
 * It is judged as gates judge a stage (ADR 6): what a caller has cancelled is ignored, whatever the work did then; what
 * a timeout further out has cut short is judged by that.
 */
final class MeteredCall<T extends @Nullable Object> extends CallFuture<T>
        implements BiConsumer<T, @Nullable Throwable> {
    private final StripedCallMeter meter;
    private final long start;
    private final CompletableFuture<T> running;

    MeteredCall(StripedCallMeter meter, long start, CompletableFuture<T> running) {
        this.meter = meter;
        this.start = start;
        this.running = running;
    }

    MeteredCall<T> follow() {
        passCancelTo(running);
        running.whenComplete(this);
        return this;
    }

    @Override
    public void accept(T result, @Nullable Throwable thrown) {
        Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
        try {
            count(result, error);
        } finally {
            finish(result, error);
        }
    }

    private void count(T result, @Nullable Throwable error) {
        Throwable reason = cancelReason();
        if (reason instanceof CancellationException) {
            meter.ended(start, Verdict.IGNORED, reason);
        } else if (reason == null || error instanceof RefusedException) {
            Verdict verdict = Outcomes.judge(meter.rule(), result, error);
            meter.ended(start, verdict == Verdict.NOT_SENT ? notSent(error) : verdict, error);
        } else {
            meter.ended(start, Outcomes.judge(meter.rule(), null, reason), reason);
        }
    }

    /** The last attempt was not sent; an attempt before may have been. */
    private Verdict notSent(@Nullable Throwable last) {
        boolean[] sent = {false};
        try {
            sent[0] = CallFuture.mayHaveRunBefore(running);
            CallFuture.earlierFailures(running, earlier -> sent[0] |= earlier != last && mayHaveRun(earlier));
        } catch (Throwable thrown) { // of a policy of a user: what it did not tell may have run
            sent[0] = true;
        }
        return sent[0] ? Verdict.FAILURE : Verdict.NOT_SENT;
    }

    private static boolean mayHaveRun(Throwable error) {
        return Outcomes.mayHaveRun(Outcomes.judge(OutcomeRule.standard(), null, error), error);
    }
}
