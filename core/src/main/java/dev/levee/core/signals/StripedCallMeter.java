package dev.levee.core.signals;

import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.InterruptedWaitException;
import dev.levee.core.NanoClock;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.internal.FitsStackRoom;
import dev.levee.core.internal.Nanos;
import dev.levee.core.internal.Require;
import dev.levee.core.internal.SafeLog;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The implementation of {@link CallMeter}: judges how a call has ended, and counts it in {@link SignalRows}.
 *
 * <p>It is an {@link dev.levee.core.Around} and no gate, because gates do not count the time in a queue beside them,
 * and do not see what was thrown. See ADR 118.
 */
final class StripedCallMeter implements CallMeter, FitsStackRoom {
    private static final Logger LOG = LoggerFactory.getLogger(CallMeter.class);
    private static final List<Ending> ENDINGS = List.of(Ending.values());

    /** For each ending the values of the tag of {@link SignalMetrics#CALLS}. */
    private static final List<List<String>> TAGS = Arrays.stream(Ending.values())
            .map(ending -> List.of(ending.name().toLowerCase(Locale.ROOT)))
            .toList();

    private static final List<String> SUCCESS = List.of("success");
    private static final List<String> FAILURE = List.of("failure");
    private static final List<String> GOOD = List.of("good");
    private static final List<String> BAD = List.of("bad");
    private static final List<String> LONG = List.of("long");
    private static final List<String> SHORT = List.of("short");

    private final String name;
    private final OutcomeRule rule;
    private final Environment environment;
    private final NanoClock clock;
    private final SignalRows counts;
    private final RefusalReasons refusals = new RefusalReasons();
    private final @Nullable Objective objective;
    private final @Nullable BurnWatch watch;

    /** A success that took longer is bad. */
    private final long longestNanos;

    private final LatencyHistogram.Source successes = into -> read(SignalRows.SUCCESSES, into);
    private final LatencyHistogram.Source failures = into -> read(SignalRows.FAILURES, into);

    StripedCallMeter(String name, CallMeterConfig config, Environment environment) {
        this(name, config, environment, new SignalRows());
    }

    StripedCallMeter(String name, CallMeterConfig config, Environment environment, SignalRows counts) {
        this.name = Require.name(name);
        this.rule = Require.nonNull("config", config).outcomes();
        this.environment = Require.nonNull("environment", environment);
        this.clock = environment.clock();
        this.counts = counts;
        this.objective = config.objective();
        this.watch = objective == null ? null : new BurnWatch(name, objective, counts, environment);
        this.longestNanos =
                objective == null || objective.within() == null ? Nanos.NEVER : Nanos.of(objective.within());
    }

    private void read(int sum, LatencyHistogram into) {
        counts.read(sum, Require.nonNull("into", into));
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long start = clock.nanoTime();
        counts.begin();
        T result;
        try {
            result = inner.call(operation);
        } catch (Throwable error) {
            ended(start, Outcomes.judgeBlocking(rule, null, error), Outcomes.unwrap(error));
            throw error;
        }
        ended(start, Outcomes.judgeBlocking(rule, result, null), null);
        return result;
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        long start = clock.nanoTime();
        counts.begin();
        CompletableFuture<T> running;
        try {
            running = inner.callAsync(operation);
        } catch (Throwable thrown) { // against its promise
            ended(start, Outcomes.judge(rule, null, thrown), Outcomes.unwrap(thrown));
            throw thrown;
        }
        if (running.isDone() && !running.isCompletedExceptionally()) {
            ended(start, Outcomes.judge(rule, running.join(), null), null);
            return running;
        }
        return new MeteredCall<T>(this, start, running).follow();
    }

    /** Counts a call that has ended. Never throws. */
    void ended(long start, Verdict verdict, @Nullable Throwable error) {
        try {
            long now = readEnd(start);
            if (watch != null) {
                watch.tick(now);
            }
            long nanos = Math.max(0, now - start);
            switch (verdict) {
                case SUCCESS ->
                    counts.end(
                            nanos > longestNanos ? SignalRows.SLOW : SignalRows.ended(Ending.SUCCESS),
                            SignalRows.SUCCESSES,
                            nanos);
                case FAILURE -> counts.end(SignalRows.ended(Ending.FAILURE), SignalRows.FAILURES, nanos);
                case THROTTLED -> counts.end(SignalRows.ended(Ending.THROTTLED), SignalRows.FAILURES, nanos);
                case NOT_SENT -> counts.end(SignalRows.ended(Ending.NOT_SENT), SignalRows.FAILURES, nanos);
                case IGNORED -> endedWithoutEvidence(error);
            }
        } catch (Throwable thrown) { // no memory for a row, or a listener that is not shielded
            SafeLog.warn(LOG, "meter \"{}\": a call could not be counted", name, thrown);
        }
    }

    private void endedWithoutEvidence(@Nullable Throwable error) {
        if (error instanceof RefusedException refusal && !(error instanceof InterruptedWaitException)) {
            refusals.count(refusal.getClass());
            counts.end(SignalRows.ended(Ending.REFUSED), 0, 0);
        } else {
            counts.end(SignalRows.ended(Ending.IGNORED), 0, 0);
        }
    }

    private long readEnd(long start) {
        try {
            return clock.nanoTime();
        } catch (Throwable thrown) { // a call that has ended must not be in flight for ever
            SafeLog.warn(LOG, "meter \"{}\": the clock threw; a call counts as if it had taken no time", name, thrown);
            return start;
        }
    }

    OutcomeRule rule() {
        return rule;
    }

    @Override
    public long ended(Ending ending) {
        long ended = counts.sum(SignalRows.ended(Require.nonNull("ending", ending)));
        return ending == Ending.SUCCESS ? ended + counts.sum(SignalRows.SLOW) : ended;
    }

    @Override
    public long inFlight() {
        long ended = 0;
        for (Ending ending : ENDINGS) {
            ended += ended(ending);
        }
        return counts.sum(SignalRows.STARTED) - ended;
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
    public double longBurn() {
        return watch == null ? 0 : watch.burn(true);
    }

    @Override
    public double shortBurn() {
        return watch == null ? 0 : watch.burn(false);
    }

    @Override
    public BurnState burnState() {
        return watch == null ? BurnState.OK : watch.state();
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
        for (int i = 0; i < TAGS.size(); i++) {
            sink.value(name, SignalMetrics.CALLS, TAGS.get(i), (double) ended(ENDINGS.get(i)));
        }
        refusals.measure(name, sink);
        sink.value(name, SignalMetrics.IN_FLIGHT, (double) inFlight());
        sink.histogram(name, SignalMetrics.DURATION, SUCCESS, successes);
        sink.histogram(name, SignalMetrics.DURATION, FAILURE, failures);
        if (watch != null && objective != null) {
            measureObjective(sink, watch, objective);
        }
    }

    @SuppressWarnings("EnumOrdinal") // the figure of a state is its index
    private void measureObjective(Sink sink, BurnWatch burning, Objective target) {
        sink.value(name, SignalMetrics.TARGET, target.target());
        sink.value(name, SignalMetrics.JUDGED, GOOD, (double) burning.goodCalls());
        sink.value(name, SignalMetrics.JUDGED, BAD, (double) burning.badCalls());
        sink.value(name, SignalMetrics.BURN, LONG, burning.burn(true));
        sink.value(name, SignalMetrics.BURN, SHORT, burning.burn(false));
        sink.value(name, SignalMetrics.STATE, burning.state().ordinal());
    }

    @Override
    public String toString() {
        return "meter \"" + name + "\" " + inFlight() + " in flight"
                + (objective == null ? "" : ", objective " + objective);
    }
}
