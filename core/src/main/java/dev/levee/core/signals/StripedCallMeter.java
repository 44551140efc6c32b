package dev.levee.core.signals;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.Require;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The implementation of {@link CallMeter}. */
@SuppressWarnings("EnumOrdinal") // places of words in an array
final class StripedCallMeter implements CallMeter {
    private static final Ending[] ENDINGS = Ending.values();
    private static final int STARTED = 0;
    private static final int FIRST_ENDING = 1;
    private static final int SUCCESSES = FIRST_ENDING + 6;
    private static final int FAILURES = SUCCESSES + 1 + LatencyHistogram.buckets();

    private final String name;
    private final OutcomeRule rule;
    private final Environment environment;
    private final NanoClock clock;
    private final AtomicLongArray words = new AtomicLongArray(FAILURES + 1 + LatencyHistogram.buckets());
    private final LatencyHistogram.Source successes = into -> read(SUCCESSES, into);
    private final LatencyHistogram.Source failures = into -> read(FAILURES, into);

    StripedCallMeter(String name, CallMeterConfig config, Environment environment) {
        this.name = Require.name(name);
        this.rule = Require.nonNull("config", config).outcomes();
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
    }

    private void read(int offset, LatencyHistogram into) {
        Require.nonNull("into", into).clear();
        into.addSum(words.get(offset));
        for (int i = 0; i < LatencyHistogram.buckets(); i++) {
            into.addBucket(i, words.get(offset + 1 + i));
        }
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long start = clock.nanoTime();
        words.incrementAndGet(STARTED);
        T result;
        try {
            result = inner.call(operation);
        } catch (Throwable error) {
            end(start, ending(Outcomes.judgeBlocking(rule, null, error), error));
            throw error;
        }
        end(start, ending(Outcomes.judgeBlocking(rule, result, null), null));
        return result;
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        long start = clock.nanoTime();
        words.incrementAndGet(STARTED);
        CallFuture<T> future = new CallFuture<>();
        CompletableFuture<T> running = inner.callAsync(operation);
        future.passCancelTo(running);
        running.whenComplete((result, thrown) -> {
            Throwable error = thrown == null ? null : Outcomes.unwrap(thrown);
            end(start, ending(Outcomes.judge(rule, result, error), error));
            future.finish(result, error);
        });
        return future;
    }

    private static Ending ending(Verdict verdict, @Nullable Throwable error) {
        return switch (verdict) {
            case SUCCESS -> Ending.SUCCESS;
            case FAILURE -> Ending.FAILURE;
            case THROTTLED -> Ending.THROTTLED;
            case NOT_SENT -> Ending.NOT_SENT;
            case IGNORED -> error instanceof RefusedException ? Ending.REFUSED : Ending.IGNORED;
        };
    }

    private void end(long start, Ending ending) {
        long nanos = Math.max(0, clock.nanoTime() - start);
        words.incrementAndGet(FIRST_ENDING + ending.ordinal());
        if (ending.ordinal() <= Ending.NOT_SENT.ordinal()) {
            int offset = ending == Ending.SUCCESS ? SUCCESSES : FAILURES;
            words.addAndGet(offset, nanos);
            words.incrementAndGet(offset + 1 + LatencyHistogram.bucket(nanos));
        }
    }

    @Override
    public long ended(Ending ending) {
        return words.get(FIRST_ENDING + Require.nonNull("ending", ending).ordinal());
    }

    @Override
    public long inFlight() {
        long ended = 0;
        for (Ending ending : ENDINGS) {
            ended += ended(ending);
        }
        return words.get(STARTED) - ended;
    }

    @Override
    public LatencyHistogram.Source successes() {
        return successes;
    }

    @Override
    public LatencyHistogram.Source failures() {
        return failures;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public void measure(Sink sink) {
        Require.nonNull("sink", sink);
        for (Ending ending : ENDINGS) {
            sink.value(name, SignalMetrics.CALLS, List.of(ending.name().toLowerCase(Locale.ROOT)), (double) ended(ending));
        }
        sink.value(name, SignalMetrics.IN_FLIGHT, (double) inFlight());
        sink.histogram(name, SignalMetrics.DURATION, List.of("success"), successes);
        sink.histogram(name, SignalMetrics.DURATION, List.of("failure"), failures);
    }

    @Override
    public String toString() {
        return "meter \"" + name + "\" " + inFlight() + " in flight";
    }
}
