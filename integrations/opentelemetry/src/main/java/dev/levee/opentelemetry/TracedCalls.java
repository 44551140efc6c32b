package dev.levee.opentelemetry;

import dev.levee.core.Around;
import dev.levee.core.CallContext;
import dev.levee.core.Environment;
import dev.levee.core.Inner;
import dev.levee.core.Operation;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Outcomes;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.internal.SafeLog;
import dev.levee.core.internal.Text;
import dev.levee.core.internal.WarnedSubjects;
import io.opentelemetry.api.OpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.DoubleHistogram;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A span for each run of what is further in: of a call, or of an attempt. See ADR 124. */
final class TracedCalls implements Around {
    private static final Logger LOG = LoggerFactory.getLogger(Tracing.class);

    static final AttributeKey<String> ERROR_TYPE = AttributeKey.stringKey("error.type");
    static final AttributeKey<Long> ATTEMPT = AttributeKey.longKey("levee.attempt");

    private static final AttributeKey<String> NAME = AttributeKey.stringKey("levee.name");
    private static final AttributeKey<String> OUTCOME = AttributeKey.stringKey("levee.outcome");
    private static final AttributeKey<String> METRIC_NAME = AttributeKey.stringKey("name");
    private static final AttributeKey<String> METRIC_OUTCOME = AttributeKey.stringKey("outcome");

    /** In seconds: those that the conventions advise for the duration of HTTP requests. */
    private static final List<Double> BOUNDARIES =
            List.of(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);

    /** Tells a call that was cut short, of which no rule is asked, from one that has failed. */
    private static final OutcomeRule FAILED = (result, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;

    private final String subject;
    private final String spanName;
    private final Environment environment;
    private final Tracer tracer;
    private final WarnedSubjects warned = new WarnedSubjects();

    /** Null for attempts. */
    private final @Nullable DoubleHistogram durations;

    TracedCalls(String subject, String spanName, OpenTelemetry telemetry, Environment environment, boolean wholeCalls) {
        this.subject = subject;
        this.spanName = spanName;
        this.environment = environment;
        this.tracer = telemetry.getTracer(Tracing.SCOPE);
        this.durations = wholeCalls
                ? telemetry
                        .getMeter(Tracing.SCOPE)
                        .histogramBuilder("levee.call.duration")
                        .setUnit("s")
                        .setDescription("The time of calls, with all their attempts and waits.")
                        .setExplicitBucketBoundariesAdvice(BOUNDARIES)
                        .build()
                : null;
    }

    @Override
    public String name() {
        return spanName;
    }

    @Override
    public Environment environment() {
        return environment;
    }

    @Override
    public <T extends @Nullable Object, X extends Throwable> T around(Inner inner, Operation<T, X> operation) throws X {
        long start = startNanos();
        Span span = start();
        if (span == null) {
            return inner.call(operation);
        }
        Throwable error = null;
        boolean calledOff = false;
        Scope scope = open(span);
        try {
            return inner.call(operation);
        } catch (Throwable thrown) {
            error = thrown;
            calledOff = Outcomes.judgeBlocking(FAILED, null, thrown) == Verdict.IGNORED;
            throw thrown;
        } finally {
            close(scope);
            end(span, start, error, calledOff);
        }
    }

    @Override
    public <T extends @Nullable Object> CompletableFuture<T> aroundAsync(
            Inner inner, Supplier<? extends CompletionStage<T>> operation) {
        long start = startNanos();
        Span span = start();
        if (span == null) {
            return inner.callAsync(operation);
        }
        CompletableFuture<T> running;
        Scope scope = open(span);
        try {
            running = inner.callAsync(operation);
        } catch (Throwable thrown) { // of a policy of a user, against its promise
            end(span, start, thrown, false);
            throw thrown;
        } finally {
            close(scope);
        }
        return new TracedFuture<T>(this, span, start, running).begin();
    }

    private long startNanos() {
        return durations == null ? 0 : environment.clock().nanoTime();
    }

    /** Starts a span; null if a processor of spans throws, which is no matter of the call. */
    private @Nullable Span start() {
        try {
            SpanBuilder builder = tracer.spanBuilder(spanName).setAttribute(NAME, subject);
            if (durations == null) {
                builder.setAttribute(ATTEMPT, (long) CallContext.current().attempt());
            }
            return builder.startSpan();
        } catch (Throwable thrown) {
            warn("be started", thrown);
            return null;
        }
    }

    @SuppressWarnings("MustBeClosedChecker") // closed by the caller
    private Scope open(Span span) {
        try {
            return span.makeCurrent();
        } catch (Throwable thrown) {
            warn("be made the current one", thrown);
            return Scope.noop();
        }
    }

    private void close(Scope scope) {
        try {
            scope.close();
        } catch (Throwable thrown) {
            warn("be taken from its thread", thrown);
        }
    }

    /**
     * Ends a span; never throws. What is recorded later, by work that goes on after a cancel, is dropped by the span.
     *
     * @param calledOff whether the call was cut short, whatever it has thrown for that; or refused
     */
    void end(Span span, long start, @Nullable Throwable error, boolean calledOff) {
        try {
            record(span, start, error, calledOff);
        } catch (Throwable thrown) { // of a clock, or of what samples
            warn("be told of its end", thrown);
        }
        try {
            span.end();
        } catch (Throwable thrown) { // of a processor of spans
            warn("be ended", thrown);
        }
    }

    private void warn(String what, Throwable thrown) {
        if (warned.add(what)) {
            SafeLog.warn(LOG, "traced calls \"{}\": a span could not {}", Text.printable(subject), what, thrown);
        }
    }

    private void record(Span span, long start, @Nullable Throwable error, boolean calledOff) {
        String outcome = outcomeOf(error, calledOff);
        span.setAttribute(OUTCOME, outcome);
        if (error != null && !outcome.equals("cancelled")) {
            span.setAttribute(ERROR_TYPE, typeOf(error));
            span.setStatus(StatusCode.ERROR);
        }
        if (durations != null) {
            double seconds = (environment.clock().nanoTime() - start) / 1e9;
            Attributes attributes = Attributes.of(METRIC_NAME, subject, METRIC_OUTCOME, outcome);
            durations.record(seconds, attributes, Context.current().with(span));
        }
    }

    private static String outcomeOf(@Nullable Throwable error, boolean calledOff) {
        if (error == null) {
            return "success";
        }
        if (error instanceof RefusedException refused) {
            return refused.mayHaveRun() ? "failure" : "refused";
        }
        return calledOff || error instanceof CancellationException || error instanceof InterruptedException
                ? "cancelled"
                : "failure";
    }

    static String typeOf(Throwable error) {
        String name = error.getClass().getCanonicalName(); // null for a class without one
        return name == null ? error.getClass().getName() : name;
    }

    @Override
    public String toString() {
        return "span \"" + spanName + '"';
    }
}
