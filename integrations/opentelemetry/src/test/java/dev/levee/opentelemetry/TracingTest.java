package dev.levee.opentelemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.levee.core.CallContext;
import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.ExecutorRejectedException;
import dev.levee.core.Gate;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.RefusedException;
import dev.levee.core.Verdict;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Hedge;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.RetryBudget;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanId;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.data.HistogramPointData;
import io.opentelemetry.sdk.metrics.data.MetricData;
import io.opentelemetry.sdk.testing.exporter.InMemoryMetricReader;
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter;
import io.opentelemetry.sdk.trace.ReadWriteSpan;
import io.opentelemetry.sdk.trace.ReadableSpan;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

class TracingTest {
    private static final String SECRET = "password=hunter2";

    private final InMemorySpanExporter exporter = InMemorySpanExporter.create();
    private final InMemoryMetricReader reader = InMemoryMetricReader.create();
    private final AtomicInteger open = new AtomicInteger();
    private final OpenTelemetrySdk telemetry = OpenTelemetrySdk.builder()
            .setTracerProvider(SdkTracerProvider.builder()
                    .addSpanProcessor(new OpenSpans())
                    .addSpanProcessor(SimpleSpanProcessor.create(exporter))
                    .build())
            .setMeterProvider(
                    SdkMeterProvider.builder().registerMetricReader(reader).build())
            .build();
    private final ManualTime time = new ManualTime();
    private final Queue<Runnable> handed = new ArrayDeque<>();
    private final Environment environment = time.environment().toBuilder()
            .executor(handed::add)
            .context(Tracing.context())
            .listener(Tracing.events())
            .build();
    private final Tracing tracing = Tracing.of(telemetry, environment);

    /** Counts the spans that have begun and not ended. */
    private final class OpenSpans implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {
            open.incrementAndGet();
        }

        @Override
        public boolean isStartRequired() {
            return true;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            open.decrementAndGet();
        }

        @Override
        public boolean isEndRequired() {
            return true;
        }
    }

    /** Throws at the start, or at the end, of each span. */
    private record ThrowingSpans(boolean atStart) implements SpanProcessor {
        @Override
        public void onStart(Context parent, ReadWriteSpan span) {
            throw new IllegalStateException("processor at the start");
        }

        @Override
        public boolean isStartRequired() {
            return atStart;
        }

        @Override
        public void onEnd(ReadableSpan span) {
            throw new IllegalStateException("processor at the end");
        }

        @Override
        public boolean isEndRequired() {
            return !atStart;
        }
    }

    @Test
    void a_processor_of_spans_that_throws_changes_no_outcome_and_no_call_waits_for_ever() throws Exception {
        for (boolean atStart : List.of(true, false)) {
            try (OpenTelemetrySdk broken = OpenTelemetrySdk.builder()
                    .setTracerProvider(SdkTracerProvider.builder()
                            .addSpanProcessor(new ThrowingSpans(atStart))
                            .build())
                    .build()) {
                Tracing ofBroken = Tracing.of(broken, environment);
                for (Policy calls : List.of(ofBroken.calls("c"), ofBroken.attempts("a"))) {
                    assertThat(calls.<String, IOException>call(() -> "done")).isEqualTo("done");
                    IOException down = new IOException("down");
                    assertThatThrownBy(() -> calls.call(() -> {
                                throw down;
                            }))
                            .isSameAs(down);
                    assertThat(calls.callAsync(() -> CompletableFuture.completedFuture("done")))
                            .isCompletedWithValue("done");
                    CompletableFuture<String> later = new CompletableFuture<>();
                    CompletableFuture<String> call = calls.callAsync(() -> later);
                    later.complete("later");
                    assertThat(call).isCompletedWithValue("later");
                }
            }
        }
    }

    @AfterEach
    void nothing_stays_behind() {
        assertThat(open).hasValue(0);
        assertThat(Context.current()).isSameAs(Context.root());
        assertThat(exporter.getFinishedSpanItems().toString()).doesNotContain(SECRET);
        telemetry.close();
    }

    private void pass(Duration duration) {
        time.advance(duration);
        runHanded();
    }

    private void runHanded() {
        while (!handed.isEmpty()) {
            handed.remove().run();
            assertThat(Context.current()).isSameAs(Context.root());
        }
    }

    private Retry retry() {
        return Retry.of(
                "retry",
                config -> config.maxAttempts(3)
                        .backoff(Backoff.fixed(Duration.ofMillis(100)))
                        .budget(RetryBudget.unlimited()),
                environment);
    }

    private Hedge hedge() {
        return Hedge.of(
                "hedge",
                config -> config.maxAttempts(3).delay(Duration.ofMillis(10)).budget(RetryBudget.unlimited()),
                environment);
    }

    private List<SpanData> spans(String name) {
        return exporter.getFinishedSpanItems().stream()
                .filter(span -> span.getName().equals(name))
                .toList();
    }

    private SpanData only(String name) {
        assertThat(spans(name)).hasSize(1);
        return spans(name).get(0);
    }

    private static String text(SpanData span, String key) {
        return String.valueOf(span.getAttributes().get(AttributeKey.stringKey(key)));
    }

    private static List<String> outcomes(List<SpanData> spans) {
        return spans.stream().map(span -> text(span, "levee.outcome")).toList();
    }

    private static List<Long> attempts(List<SpanData> spans) {
        return spans.stream()
                .map(span -> span.getAttributes().get(AttributeKey.longKey("levee.attempt")))
                .toList();
    }

    private static List<String> events(SpanData span) {
        return span.getEvents().stream().map(EventData::getName).toList();
    }

    @Test
    void an_asynchronous_call_has_a_span_and_each_attempt_a_child_of_it() {
        Pipeline pipeline = Pipeline.of(tracing.calls("payments"), retry(), tracing.attempts("payments"));
        List<CompletableFuture<String>> stages = new ArrayList<>();
        List<String> current = new ArrayList<>();
        Span caller = telemetry.getTracer("test").spanBuilder("caller").startSpan();
        CompletableFuture<String> call;
        try (Scope scope = caller.makeCurrent()) {
            assertThat(scope).isNotNull();
            call = pipeline.callAsync(() -> {
                current.add(Span.current().getSpanContext().getSpanId());
                CompletableFuture<String> stage = new CompletableFuture<>();
                stages.add(stage);
                return stage;
            });
        }
        stages.get(0).completeExceptionally(new IOException(SECRET));
        pass(Duration.ofMillis(100));
        stages.get(1).completeExceptionally(new IOException(SECRET));
        pass(Duration.ofMillis(100));
        stages.get(2).complete("answer");
        caller.end();

        assertThat(call).isCompletedWithValue("answer");
        SpanData whole = only("payments");
        List<SpanData> attempts = spans("payments attempt");
        assertThat(whole.getParentSpanId()).isEqualTo(caller.getSpanContext().getSpanId());
        assertThat(whole.getKind()).isEqualTo(SpanKind.INTERNAL);
        assertThat(text(whole, "levee.name")).isEqualTo("payments");
        assertThat(text(whole, "levee.outcome")).isEqualTo("success");
        assertThat(whole.getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attempts).hasSize(3).allMatch(each -> each.getParentSpanId().equals(whole.getSpanId()));
        assertThat(attempts(attempts)).containsExactly(1L, 2L, 3L);
        assertThat(outcomes(attempts)).containsExactly("failure", "failure", "success");
        assertThat(text(attempts.get(0), "error.type")).isEqualTo("java.io.IOException");
        assertThat(attempts.get(0).getStatus().getStatusCode()).isEqualTo(StatusCode.ERROR);
        assertThat(attempts.get(2).getStatus().getStatusCode()).isEqualTo(StatusCode.UNSET);
        assertThat(attempts).extracting(SpanData::getSpanId).containsExactlyElementsOf(current);
        assertThat(events(whole)).containsExactly("levee.attempt", "levee.attempt");
        EventData event = whole.getEvents().get(0);
        assertThat(event.getAttributes().asMap())
                .contains(
                        entry(AttributeKey.stringKey("levee.policy.kind"), "retry"),
                        entry(AttributeKey.stringKey("levee.policy.name"), "retry"),
                        entry(AttributeKey.longKey("levee.attempt"), 2L),
                        entry(AttributeKey.doubleKey("levee.delay"), 0.1));
    }

    @Test
    void a_blocking_call_has_a_span_and_each_attempt_a_child_of_it() throws Exception {
        Environment real = Environment.builder().context(Tracing.context()).build();
        Tracing own = Tracing.of(telemetry, real);
        Retry twice =
                Retry.of("retry", config -> config.maxAttempts(2).backoff(Backoff.fixed(Duration.ofMillis(1))), real);
        Pipeline pipeline = Pipeline.of(own.calls("payments"), twice, own.attempts("payments"));

        assertThatThrownBy(() -> pipeline.run(() -> {
                    assertThat(Span.current().getSpanContext().isValid()).isTrue();
                    throw new IOException(SECRET);
                }))
                .isInstanceOf(IOException.class);

        SpanData whole = only("payments");
        assertThat(spans("payments attempt"))
                .hasSize(2)
                .allMatch(each -> each.getParentSpanId().equals(whole.getSpanId()));
        assertThat(attempts(spans("payments attempt"))).containsExactly(1L, 2L);
        assertThat(text(whole, "levee.outcome")).isEqualTo("failure");
        assertThat(text(whole, "error.type")).isEqualTo("java.io.IOException");
    }

    @Test
    void hedges_that_are_not_needed_end_their_spans_even_if_their_work_goes_on() {
        Pipeline pipeline = Pipeline.of(tracing.calls("search"), hedge(), tracing.attempts("search"));
        List<CompletableFuture<String>> stages = new ArrayList<>();
        CompletableFuture<String> call = pipeline.callAsync(() -> {
            CompletableFuture<String> stage = new CompletableFuture<>();
            stages.add(stage);
            CompletionStage<String> deaf = stage.minimalCompletionStage(); // no cancel reaches the work
            return deaf;
        });
        pass(Duration.ofMillis(10));
        pass(Duration.ofMillis(10));
        assertThat(stages).hasSize(3);
        stages.get(1).complete("answer");

        assertThat(call).isCompletedWithValue("answer");
        assertThat(outcomes(spans("search attempt"))).containsExactlyInAnyOrder("success", "cancelled", "cancelled");
        assertThat(attempts(spans("search attempt"))).containsExactlyInAnyOrder(1L, 2L, 3L);
        assertThat(spans("search attempt"))
                .filteredOn(span -> text(span, "levee.outcome").equals("cancelled"))
                .allMatch(span -> span.getStatus().getStatusCode() == StatusCode.UNSET
                        && text(span, "error.type").equals("null"));
        assertThat(open).hasValue(0);
        assertThat(events(only("search"))).containsExactly("levee.attempt", "levee.attempt");
    }

    @Test
    void blocking_hedges_end_their_spans_when_they_return() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        Environment real = Environment.builder()
                .executor(threads)
                .context(Tracing.context())
                .build();
        Tracing own = Tracing.of(telemetry, real);
        Hedge hedge = Hedge.of(
                "hedge",
                config -> config.maxAttempts(2).delay(Duration.ofMillis(1)).budget(RetryBudget.unlimited()),
                real);
        AtomicInteger attempts = new AtomicInteger();
        Pipeline pipeline = Pipeline.of(own.calls("search"), hedge, own.attempts("search"));

        String answer = pipeline.callInterruptibly(() -> {
            if (attempts.incrementAndGet() == 1) {
                new CountDownLatch(1).await(); // until it is interrupted
            }
            return "answer";
        });
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();

        assertThat(answer).isEqualTo("answer");
        assertThat(outcomes(spans("search attempt"))).containsExactlyInAnyOrder("success", "cancelled");
        assertThat(spans("search attempt"))
                .allMatch(each -> each.getParentSpanId().equals(only("search").getSpanId()));
    }

    @Test
    void an_attempt_that_is_no_more_wanted_is_cancelled_whatever_it_throws() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        Environment real = Environment.builder()
                .executor(threads)
                .context(Tracing.context())
                .build();
        Tracing own = Tracing.of(telemetry, real);
        Hedge hedge = Hedge.of(
                "hedge",
                config -> config.maxAttempts(2).delay(Duration.ofMillis(1)).budget(RetryBudget.unlimited()),
                real);
        AtomicInteger attempts = new AtomicInteger();

        String answer = Pipeline.of(hedge, own.attempts("search")).call(() -> {
            if (attempts.incrementAndGet() > 1) {
                return "answer";
            }
            try {
                new CountDownLatch(1).await();
                return "never";
            } catch (InterruptedException interrupt) { // as a driver does
                throw new SocketException("Closed by interrupt");
            }
        });
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();

        assertThat(answer).isEqualTo("answer");
        assertThat(outcomes(spans("search attempt"))).containsExactlyInAnyOrder("success", "cancelled");
        assertThat(spans("search attempt")).allMatch(span -> span.getStatus().getStatusCode() == StatusCode.UNSET);
    }

    @Test
    void a_stage_that_fails_because_it_is_cancelled_is_cancelled() {
        CallFuture<String> work = new CallFuture<>();
        work.onCancel(reason -> work.completeExceptionally(new SocketException("Socket closed")));
        CompletableFuture<String> call = tracing.attempts("search").callAsync(() -> work);

        call.cancel(true);

        assertThat(outcomes(spans("search attempt"))).containsExactly("cancelled");
        assertThat(open).hasValue(0);
    }

    @Test
    void a_cancel_ends_the_spans_at_once() {
        Pipeline pipeline = Pipeline.of(tracing.calls("payments"), retry(), tracing.attempts("payments"));
        CompletableFuture<String> call =
                pipeline.callAsync(() -> new CompletableFuture<String>().minimalCompletionStage());

        call.cancel(true);

        assertThat(open).hasValue(0);
        assertThat(outcomes(exporter.getFinishedSpanItems())).containsExactly("cancelled", "cancelled");
    }

    @Test
    void a_completion_from_outside_ends_the_span_of_the_call() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> call = tracing.calls("payments").callAsync(() -> work);

        call.complete("from outside");

        assertThat(outcomes(spans("payments"))).containsExactly("success");
        work.complete("late");
        assertThat(spans("payments")).hasSize(1);
    }

    @Test
    void a_timeout_ends_the_span_of_the_attempt_and_of_the_call() {
        Timeout timeout = Timeout.of("timeout", Duration.ofSeconds(1), environment);
        Pipeline pipeline = Pipeline.of(tracing.calls("payments"), timeout, tracing.attempts("payments"));
        CompletableFuture<String> call =
                pipeline.callAsync(() -> new CompletableFuture<String>().minimalCompletionStage());

        pass(Duration.ofSeconds(1));

        assertThat(call).isCompletedExceptionally();
        assertThat(outcomes(exporter.getFinishedSpanItems())).containsExactly("failure", "failure");
        assertThat(exporter.getFinishedSpanItems())
                .allMatch(span -> text(span, "error.type").equals(TimedOutException.class.getName()));
    }

    @Test
    void a_refusal_is_an_event_and_the_outcome_of_the_call() {
        Bulkhead bulkhead = Bulkhead.of("bulkhead", 1, environment);
        Pipeline pipeline = Pipeline.of(tracing.calls("payments"), bulkhead, tracing.attempts("payments"));
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> first = pipeline.callAsync(() -> work);

        assertThatThrownBy(() -> pipeline.run(() -> {})).isInstanceOf(BulkheadFullException.class);
        assertThat(pipeline.callAsync(() -> work)).isCompletedExceptionally();

        assertThat(spans("payments attempt")).isEmpty();
        assertThat(spans("payments")).hasSize(2).allSatisfy(span -> {
            assertThat(text(span, "levee.outcome")).isEqualTo("refused");
            assertThat(text(span, "error.type")).isEqualTo(BulkheadFullException.class.getName());
            assertThat(events(span)).containsExactly("levee.refused");
            assertThat(span.getEvents().get(0).getAttributes().asMap())
                    .contains(entry(AttributeKey.stringKey("levee.policy.kind"), "bulkhead"));
        });
        work.complete("done");
        assertThat(first).isCompleted();
    }

    @Test
    void an_executor_that_rejects_leaves_no_span_open() {
        Environment full = time.environment().toBuilder()
                .executor(task -> {
                    throw new RejectedExecutionException("full");
                })
                .context(Tracing.context())
                .build();
        Tracing own = Tracing.of(telemetry, full);
        Timeout timeout = Timeout.of("timeout", Duration.ofSeconds(1), full).onExecutor(full.executor());
        Pipeline pipeline = Pipeline.of(own.calls("payments"), timeout, own.attempts("payments"));

        assertThatThrownBy(() -> pipeline.run(() -> {})).isInstanceOf(ExecutorRejectedException.class);
        assertThat(pipeline.callAsync(full.executor(), () -> "never")).isCompletedExceptionally();

        assertThat(open).hasValue(0);
        assertThat(outcomes(spans("payments"))).containsExactly("refused", "refused");
    }

    @Test
    void an_executor_that_rejects_the_next_attempt_leaves_no_span_open() {
        AtomicInteger tasks = new AtomicInteger();
        Environment failing = time.environment().toBuilder()
                .executor(task -> {
                    tasks.incrementAndGet();
                    throw new RejectedExecutionException("full");
                })
                .context(Tracing.context())
                .build();
        Tracing own = Tracing.of(telemetry, failing);
        Retry retry = Retry.of(
                "retry", config -> config.maxAttempts(3).backoff(Backoff.fixed(Duration.ofMillis(1))), failing);
        CompletableFuture<String> call = Pipeline.of(own.calls("payments"), retry, own.attempts("payments"))
                .callAsync(() -> CompletableFuture.failedFuture(new IOException(SECRET)));

        time.advance(Duration.ofMillis(1));

        assertThat(call).failsWithin(Duration.ofSeconds(30));
        assertThat(tasks).hasPositiveValue();
        assertThat(spans("payments attempt")).hasSize(1);
    }

    @Test
    void changes_of_state_and_substitutes_are_events_of_the_call_in_which_they_happen() {
        Fallback fallback = Fallback.value("cached", "substitute", environment);
        Policy changing = new ChangingGate(environment);
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> call =
                Pipeline.of(tracing.calls("payments"), fallback, changing).callAsync(() -> work);

        work.completeExceptionally(new IOException(SECRET));

        assertThat(call).isCompletedWithValue("substitute");
        SpanData span = only("payments");
        assertThat(events(span)).containsExactly("levee.state_change", "levee.degraded");
        assertThat(span.getEvents().get(0).getAttributes().asMap())
                .contains(
                        entry(AttributeKey.stringKey("levee.state.from"), "CLOSED"),
                        entry(AttributeKey.stringKey("levee.state.to"), "OPEN"));
        assertThat(span.getEvents().get(1).getAttributes().asMap())
                .contains(entry(AttributeKey.stringKey("error.type"), "java.io.IOException"));
    }

    /** Opens when it is left. */
    private record ChangingGate(Environment environment) implements Gate {
        @Override
        public String name() {
            return "changing";
        }

        @Override
        public int timing() {
            return 0;
        }

        @Override
        public OutcomeRule outcomes() {
            return (result, error) -> error == null ? Verdict.SUCCESS : Verdict.FAILURE;
        }

        @Override
        public long tryEnter(long nowNanos) {
            return 1;
        }

        @Override
        public void exit(long stamp, long startNanos, long endNanos, Verdict verdict, long retryAfterNanos) {
            environment.listener().onStateChange(Policy.Kind.BREAKER, "changing", "CLOSED", "OPEN");
        }

        @Override
        public RefusedException refusal() {
            throw new IllegalStateException("never refuses");
        }
    }

    @Test
    void what_happens_within_no_span_is_left_out() {
        environment.listener().onStateChange(Policy.Kind.BREAKER, "b", "OPEN", "HALF_OPEN");
        environment.listener().onRefused(Policy.Kind.BREAKER, "b");
        environment.listener().onAttempt(Policy.Kind.RETRY, "r", 2, 0);
        environment.listener().onDegraded(Policy.Kind.FALLBACK, "f", "s", new IOException(SECRET));

        assertThat(exporter.getFinishedSpanItems()).isEmpty();
    }

    @Test
    void the_time_of_calls_is_a_histogram_whose_exemplars_lead_to_their_traces() {
        Pipeline pipeline = Pipeline.of(tracing.calls("payments"), tracing.attempts("payments"));
        pipeline.run(() -> time.advance(Duration.ofMillis(250)));

        List<MetricData> metrics = List.copyOf(reader.collectAllMetrics());
        assertThat(metrics).hasSize(1);
        MetricData metric = metrics.get(0);
        assertThat(metric.getName()).isEqualTo("levee.call.duration");
        assertThat(metric.getUnit()).isEqualTo("s");
        HistogramPointData point =
                metric.getHistogramData().getPoints().iterator().next();
        assertThat(point.getSum()).isEqualTo(0.25);
        assertThat(point.getCount()).isEqualTo(1);
        assertThat(point.getAttributes().asMap())
                .containsOnly(
                        entry(AttributeKey.stringKey("name"), "payments"),
                        entry(AttributeKey.stringKey("outcome"), "success"));
        assertThat(point.getExemplars())
                .singleElement()
                .satisfies(exemplar -> assertThat(exemplar.getSpanContext().getSpanId())
                        .isEqualTo(only("payments").getSpanId()));
    }

    @Test
    void a_call_that_waits_for_its_turn_is_still_known_to_wait_behind_a_span() {
        Bulkhead queued =
                Bulkhead.of("bulkhead", config -> config.maxConcurrent(1).queue(1, Duration.ofSeconds(9)), environment);
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> first = queued.callAsync(() -> work);
        Timeout timeout = Timeout.of("timeout", Duration.ofSeconds(1), environment);

        CompletableFuture<String> second =
                Pipeline.of(timeout, tracing.attempts("payments"), queued).callAsync(() -> work);
        pass(Duration.ofSeconds(1));

        assertThat(second)
                .failsWithin(Duration.ZERO)
                .withThrowableOfType(java.util.concurrent.ExecutionException.class)
                .withCauseInstanceOf(RefusedException.class);
        assertThat(outcomes(spans("payments attempt"))).containsExactly("refused");
        work.complete("done");
        assertThat(first).isCompleted();
    }

    @Test
    void failures_of_earlier_attempts_are_told_through_a_span() {
        Timeout timeout = Timeout.of("timeout", Duration.ofSeconds(1), environment);
        AtomicInteger attempts = new AtomicInteger();
        CompletableFuture<String> call = Pipeline.of(timeout, tracing.calls("payments"), retry())
                .callAsync(() -> attempts.incrementAndGet() == 1
                        ? CompletableFuture.failedFuture(new IOException("first"))
                        : new CompletableFuture<String>());
        pass(Duration.ofMillis(100));
        pass(Duration.ofMillis(900));

        assertThatThrownBy(call::join)
                .cause()
                .isInstanceOf(TimedOutException.class)
                .satisfies(thrown -> assertThat(thrown.getSuppressed())
                        .extracting(Throwable::getMessage)
                        .containsExactly("first"));
    }

    @Test
    void what_the_operation_throws_comes_out_as_the_same_object_and_an_error_ends_the_span() {
        AssertionError error = new AssertionError(SECRET);

        assertThatThrownBy(() -> tracing.calls("payments").run(() -> {
                    throw error;
                }))
                .isSameAs(error);
        assertThat(tracing.calls("payments").callAsync(() -> {
                    throw error;
                }))
                .isCompletedExceptionally();

        assertThat(outcomes(spans("payments"))).containsExactly("failure", "failure");
    }

    @Test
    void without_an_sdk_calls_run_and_the_context_of_a_caller_goes_with_them() {
        Tracing none = Tracing.of(io.opentelemetry.api.OpenTelemetry.noop(), environment);
        Pipeline pipeline = Pipeline.of(none.calls("payments"), retry(), none.attempts("payments"));

        assertThat(pipeline.<String, RuntimeException>call(() -> "answer")).isEqualTo("answer");
        assertThat(pipeline.callAsync(() -> CallFuture.completedFuture("answer")))
                .isCompletedWithValue("answer");
        assertThat(CallContext.current().attempt()).isEqualTo(1);
    }

    @Test
    void names_are_checked() {
        assertThatThrownBy(() -> tracing.calls(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> tracing.attempts(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThat(tracing.calls("payments").toString()).isEqualTo("span \"payments\"");
    }

    @Test
    @EnabledForJreRange(min = JRE.JAVA_21)
    void virtual_threads_have_the_span_of_their_call() throws Exception {
        ExecutorService threads = (ExecutorService)
                Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        Environment real = Environment.builder()
                .executor(threads)
                .context(Tracing.context())
                .build();
        Tracing own = Tracing.of(telemetry, real);
        Retry twice = Retry.of(
                "retry",
                config -> config.maxAttempts(2)
                        .budget(RetryBudget.unlimited())
                        .backoff(Backoff.fixed(Duration.ofMillis(1))),
                real);
        Pipeline pipeline = Pipeline.of(own.calls("payments"), twice, own.attempts("payments"));
        List<CompletableFuture<String>> calls = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            AtomicInteger attempts = new AtomicInteger();
            calls.add(pipeline.callAsync(threads, () -> {
                if (attempts.incrementAndGet() == 1) {
                    throw new IOException("down");
                }
                return Span.current().getSpanContext().getTraceId();
            }));
        }
        for (CompletableFuture<String> call : calls) {
            String trace = call.get(30, TimeUnit.SECONDS);
            assertThat(exporter.getFinishedSpanItems())
                    .filteredOn(span -> span.getTraceId().equals(trace))
                    .hasSize(3)
                    .filteredOn(span -> span.getParentSpanId().equals(SpanId.getInvalid()))
                    .hasSize(1);
        }
        threads.shutdown();
        assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }
}
