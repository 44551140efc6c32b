package dev.levee.core.signals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.CallFuture;
import dev.levee.core.Environment;
import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.OutcomeRule;
import dev.levee.core.Pipeline;
import dev.levee.core.Policy;
import dev.levee.core.Verdict;
import dev.levee.core.histogram.LatencyHistogram;
import dev.levee.core.policy.Backoff;
import dev.levee.core.policy.Bulkhead;
import dev.levee.core.policy.BulkheadFullException;
import dev.levee.core.policy.Fallback;
import dev.levee.core.policy.Retry;
import dev.levee.core.policy.TimedOutException;
import dev.levee.core.policy.Timeout;
import dev.levee.core.testing.ManualTime;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class CallMeterTest {
    private static final Backoff NO_PAUSE = Backoff.of(attempt -> Duration.ZERO);

    private final ManualTime time = new ManualTime();
    private final Environment environment = time.environment();
    private final CallMeter meter = CallMeter.of("m", environment);
    private final LatencyHistogram latencies = new LatencyHistogram();

    private Map<Ending, Long> endings() {
        return endings(meter);
    }

    private static Map<Ending, Long> endings(CallMeter meter) {
        Map<Ending, Long> counts = new EnumMap<>(Ending.class);
        for (Ending ending : Ending.values()) {
            if (meter.ended(ending) != 0) {
                counts.put(ending, meter.ended(ending));
            }
        }
        return counts;
    }

    private String take(long nanos) {
        time.advance(Duration.ofNanos(nanos));
        return "yes";
    }

    private long sumOfSuccesses() {
        meter.successes().read(latencies);
        return latencies.sumNanos();
    }

    private long sumOfFailures() {
        meter.failures().read(latencies);
        return latencies.sumNanos();
    }

    @SuppressWarnings("TypeParameterUnusedInFormals") // of whatever the call returns
    private static <T> T fail(Exception failure) throws Exception {
        throw failure;
    }

    private void callFailing(Policy policy, Exception failure) {
        assertThatThrownBy(() -> policy.call(() -> fail(failure))).isSameAs(failure);
    }

    @Test
    void a_success_is_counted_with_its_duration() {
        assertThat(meter.call(() -> take(250))).isEqualTo("yes");
        assertThat(endings()).containsExactly(Map.entry(Ending.SUCCESS, 1L));
        assertThat(sumOfSuccesses()).isEqualTo(250);
        assertThat(latencies.count()).isEqualTo(1);
        assertThat(sumOfFailures()).isZero();
    }

    @Test
    void verdicts_of_the_rule_are_counted_apart_and_durations_of_failures_too() {
        CallMeter judging = CallMeter.of(
                "judging",
                config -> config.outcomes(OutcomeRule.standard()
                        .onError(IllegalStateException.class, Verdict.THROTTLED)
                        .onError(IllegalArgumentException.class, Verdict.IGNORED)
                        .onResult(String.class, "bad"::equals, Verdict.FAILURE)),
                environment);
        callFailing(judging, new IOException());
        callFailing(judging, new ConnectException());
        callFailing(judging, new IllegalStateException());
        callFailing(judging, new IllegalArgumentException());
        judging.call(() -> "bad");
        assertThat(endings(judging))
                .containsOnly(
                        Map.entry(Ending.FAILURE, 2L),
                        Map.entry(Ending.NOT_SENT, 1L),
                        Map.entry(Ending.THROTTLED, 1L),
                        Map.entry(Ending.IGNORED, 1L));
        judging.failures().read(latencies);
        assertThat(latencies.count()).isEqualTo(4);
        judging.successes().read(latencies);
        assertThat(latencies.count()).isZero();
    }

    @Test
    void a_refusal_of_a_gate_further_in_is_counted_apart_blocking_and_asynchronous() throws Exception {
        Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1), environment);
        Pipeline guard = Pipeline.of(meter, bulkhead);
        CompletableFuture<String> running = new CompletableFuture<>();
        CompletableFuture<String> first = guard.callAsync(() -> running);
        assertThat(meter.inFlight()).isEqualTo(1);
        assertThatThrownBy(() -> guard.call(() -> "no")).isInstanceOf(BulkheadFullException.class);
        assertThat(guard.callAsync(() -> running)).isCompletedExceptionally();
        assertThat(endings()).containsExactly(Map.entry(Ending.REFUSED, 2L));
        assertThat(figures(meter)).containsEntry("m meter.refusals.bulkhead.full", 2.0);
        running.complete("yes");
        assertThat(first.get()).isEqualTo("yes");
        assertThat(meter.inFlight()).isZero();
        assertThat(sumOfFailures()).isZero();
    }

    @Test
    void a_refusal_that_the_rule_names_is_what_the_rule_says() {
        CallMeter naming = CallMeter.of(
                "naming",
                config -> config.outcomes(OutcomeRule.standard().onError(BulkheadFullException.class, Verdict.FAILURE)),
                environment);
        Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1), environment);
        bulkhead.run(
                () -> assertThatThrownBy(() -> Pipeline.of(naming, bulkhead).call(() -> "no"))
                        .isInstanceOf(BulkheadFullException.class));
        assertThat(endings(naming)).containsExactly(Map.entry(Ending.FAILURE, 1L));
    }

    @Test
    void a_refusal_of_the_last_attempt_is_a_refusal() {
        Bulkhead bulkhead = Bulkhead.of("b", config -> config.maxConcurrent(1), environment);
        Retry retry = Retry.of("r", config -> config.maxAttempts(2).backoff(NO_PAUSE), environment);
        Pipeline guard = Pipeline.of(meter, retry, bulkhead);
        boolean[] tried = {false};
        bulkhead.run(() -> assertThatThrownBy(() -> guard.call(() -> {
                    tried[0] = true;
                    return "no";
                }))
                .isInstanceOf(BulkheadFullException.class));
        assertThat(tried[0]).isFalse();
        assertThat(endings()).containsExactly(Map.entry(Ending.REFUSED, 1L));
    }

    @Test
    void the_time_in_a_queue_further_in_is_part_of_the_duration() throws Exception {
        Bulkhead bulkhead =
                Bulkhead.of("b", config -> config.maxConcurrent(1).queue(5, Duration.ofSeconds(1)), environment);
        Pipeline guard = Pipeline.of(meter, bulkhead);
        CompletableFuture<String> running = new CompletableFuture<>();
        bulkhead.callAsync(() -> running);
        CompletableFuture<String> queued = guard.callAsync(() -> CompletableFuture.completedFuture("yes"));
        take(700);
        running.complete("first");
        time.runReady();
        assertThat(queued.get()).isEqualTo("yes");
        assertThat(sumOfSuccesses()).isEqualTo(700);
    }

    @Test
    void a_call_is_one_call_however_often_it_is_attempted() {
        Retry retry = Retry.of("r", config -> config.maxAttempts(3).backoff(NO_PAUSE), environment);
        int[] attempts = {0};
        String result = Pipeline.of(meter, retry).call(() -> {
            take(10);
            if (++attempts[0] < 3) {
                throw new IllegalStateException();
            }
            return "yes";
        });
        assertThat(result).isEqualTo("yes");
        assertThat(endings()).containsExactly(Map.entry(Ending.SUCCESS, 1L));
        assertThat(sumOfSuccesses()).isEqualTo(30);
    }

    @Test
    void a_substitute_is_a_success_to_the_caller() throws Exception {
        Fallback fallback = Fallback.of("f", error -> "substitute", environment);
        Pipeline.of(meter, fallback).call(() -> fail(new IllegalStateException()));
        assertThat(endings()).containsExactly(Map.entry(Ending.SUCCESS, 1L));
    }

    @Test
    void an_asynchronous_call_is_timed_to_the_end_of_its_stage() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        CompletableFuture<String> call = meter.callAsync(() -> stage);
        take(40);
        assertThat(meter.inFlight()).isEqualTo(1);
        stage.completeExceptionally(new IOException());
        assertThat(call).isCompletedExceptionally();
        assertThat(endings()).containsExactly(Map.entry(Ending.FAILURE, 1L));
        assertThat(sumOfFailures()).isEqualTo(40);
        assertThat(meter.inFlight()).isZero();
    }

    @Test
    void a_call_is_counted_before_its_caller_sees_its_end() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        List<Map<Ending, Long>> seen = new ArrayList<>();
        meter.callAsync(() -> stage).whenComplete((result, error) -> seen.add(endings()));
        stage.complete("yes");
        assertThat(seen).containsExactly(Map.of(Ending.SUCCESS, 1L));
    }

    @Test
    void a_stage_that_has_ended_at_once_costs_no_future() {
        CompletableFuture<String> done = CompletableFuture.completedFuture("yes");
        assertThat(meter.callAsync(() -> done)).isSameAs(done);
        assertThat(endings()).containsExactly(Map.entry(Ending.SUCCESS, 1L));
    }

    @Test
    void an_operation_that_throws_instead_of_returning_a_stage_has_failed() {
        assertThat(meter.callAsync(() -> {
                    throw new IllegalStateException();
                }))
                .isCompletedExceptionally();
        assertThat(meter.callAsync(() -> null)).isCompletedExceptionally();
        assertThat(endings()).containsExactly(Map.entry(Ending.FAILURE, 2L));
        assertThat(meter.inFlight()).isZero();
    }

    @Test
    void a_call_that_its_caller_cancels_is_ignored_whatever_its_work_does_and_in_flight_until_then() {
        CallFuture<String> stage = new CallFuture<>() {
            @Override
            public boolean cancel(boolean mayInterrupt) {
                return false; // work that cannot be stopped
            }
        };
        CompletableFuture<String> call = meter.callAsync(stage::minimalCompletionStage);
        assertThat(call.cancel(true)).isTrue();
        assertThat(meter.inFlight()).isEqualTo(1);
        assertThat(endings()).isEmpty();
        stage.completeExceptionally(new IOException());
        assertThat(endings()).containsExactly(Map.entry(Ending.IGNORED, 1L));
        assertThat(meter.inFlight()).isZero();
        assertThat(sumOfFailures()).isZero();
    }

    @Test
    void a_call_that_is_cancelled_in_a_queue_further_in_is_ignored_and_no_refusal() {
        Bulkhead bulkhead =
                Bulkhead.of("b", config -> config.maxConcurrent(1).queue(5, Duration.ofSeconds(1)), environment);
        bulkhead.callAsync(CompletableFuture::new);
        CompletableFuture<String> queued =
                Pipeline.of(meter, bulkhead).callAsync(() -> CompletableFuture.completedFuture("yes"));
        queued.cancel(true);
        assertThat(endings()).containsExactly(Map.entry(Ending.IGNORED, 1L));
        assertThat(meter.inFlight()).isZero();
    }

    @Test
    void an_interrupt_of_the_caller_is_ignored_in_the_operation_and_in_a_queue() {
        assertThatThrownBy(() -> meter.callInterruptibly(() -> fail(new InterruptedException())))
                .isInstanceOf(InterruptedException.class);
        Bulkhead bulkhead =
                Bulkhead.of("b", config -> config.maxConcurrent(1).queue(5, Duration.ofSeconds(1)), environment);
        Pipeline guard = Pipeline.of(meter, bulkhead);
        bulkhead.run(() -> {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> guard.call(() -> "no")).hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> guard.callInterruptibly(() -> "no")).isInstanceOf(InterruptedException.class);
        });
        assertThat(endings()).containsExactly(Map.entry(Ending.IGNORED, 3L));
        assertThat(sumOfFailures()).isZero();
    }

    @Test
    void a_timeout_further_in_is_a_failure_and_one_further_out_too() {
        Timeout timeout = Timeout.of("t", Duration.ofNanos(100), environment);
        CompletableFuture<String> inside = Pipeline.of(meter, timeout).callAsync(CompletableFuture::new);
        take(100);
        time.runReady();
        assertThatThrownBy(inside::join).hasCauseInstanceOf(TimedOutException.class);
        assertThat(endings()).containsExactly(Map.entry(Ending.FAILURE, 1L));
        CompletableFuture<String> outside = Pipeline.of(timeout, meter).callAsync(CompletableFuture::new);
        take(100);
        time.runReady();
        assertThatThrownBy(outside::join).hasCauseInstanceOf(TimedOutException.class);
        assertThat(endings()).containsExactly(Map.entry(Ending.FAILURE, 2L));
    }

    @Test
    void a_call_that_was_not_sent_at_last_but_perhaps_before_has_failed() {
        Retry retry =
                Retry.of("r", config -> config.maxAttempts(2).backoff(NO_PAUSE).idempotent(true), environment);
        Pipeline guard = Pipeline.of(meter, retry);
        int[] attempts = {0};
        guard.callAsync(
                () -> CompletableFuture.failedFuture(++attempts[0] == 1 ? new IOException() : new ConnectException()));
        time.runReady();
        assertThat(attempts[0]).isEqualTo(2);
        assertThat(endings()).containsExactly(Map.entry(Ending.FAILURE, 1L));
    }

    @Test
    void an_error_and_an_exception_inside_a_completion_exception_are_judged_as_what_they_are() {
        assertThatThrownBy(() -> meter.call(() -> {
                    throw new StackOverflowError();
                }))
                .isInstanceOf(StackOverflowError.class);
        CompletableFuture<String> cancelled = new CompletableFuture<>();
        cancelled.cancel(true);
        assertThatThrownBy(() -> meter.call(cancelled::join)).isInstanceOf(CancellationException.class);
        assertThat(endings()).containsOnly(Map.entry(Ending.FAILURE, 1L), Map.entry(Ending.IGNORED, 1L));
    }

    @Test
    void a_rule_and_a_clock_that_throw_lose_no_call() {
        boolean[] broken = {false};
        Environment hostile = Environment.builder()
                .clock(() -> {
                    if (broken[0]) {
                        throw new IllegalStateException("clock");
                    }
                    return 5;
                })
                .build();
        CallMeter guarded = CallMeter.of(
                "hostile",
                config -> config.outcomes((result, error) -> {
                    throw new IllegalStateException("rule");
                }),
                hostile);
        assertThat(guarded.<String, RuntimeException>call(() -> {
                    broken[0] = true;
                    return "yes";
                }))
                .isEqualTo("yes");
        assertThat(endings(guarded)).containsExactly(Map.entry(Ending.SUCCESS, 1L));
        assertThat(guarded.inFlight()).isZero();
    }

    @Test
    void a_clock_that_wraps_or_goes_back_gives_no_wild_duration() {
        long[] now = {Long.MAX_VALUE - 10};
        CallMeter wrapping = CallMeter.of(
                "wrapping", Environment.builder().clock(() -> now[0]).build());
        wrapping.run(() -> now[0] += 30);
        wrapping.run(() -> now[0] -= 7);
        wrapping.successes().read(latencies);
        assertThat(latencies.sumNanos()).isEqualTo(30);
        assertThat(latencies.count()).isEqualTo(2);
    }

    private static Map<String, Double> figures(Measured measured) {
        Map<String, Double> figures = new TreeMap<>();
        measured.measure((policy, metric, value) -> figures.put(policy + ' ' + metric, value));
        return figures;
    }

    @Test
    void a_sink_gets_figures_and_histograms_with_their_descriptions() {
        meter.run(() -> take(20));
        List<String> seen = new ArrayList<>();
        Pipeline.of(meter).measure(new Measured.Sink() {
            @Override
            public void value(String policy, String metric, double value) {
                throw new AssertionError(metric);
            }

            @Override
            public void value(String policy, Metric metric, List<String> tags, double value) {
                if (value != 0) {
                    seen.add(policy + ' ' + metric.name() + tags + ' ' + value);
                }
                assertThat(SignalMetrics.all()).contains(metric);
                assertThat(tags).hasSameSizeAs(metric.tags());
            }

            @Override
            public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
                source.read(latencies);
                seen.add(policy + ' ' + metric.name() + tags + ' ' + latencies.count());
                assertThat(metric.kind()).isEqualTo(Metric.Kind.HISTOGRAM);
            }
        });
        assertThat(seen)
                .containsExactly(
                        "m meter.calls[success] 1.0", "m meter.duration[success] 1", "m meter.duration[failure] 0");
    }

    @Test
    void a_sink_that_is_a_lambda_gets_flat_names() {
        meter.run(() -> {});
        assertThat(figures(meter))
                .containsOnlyKeys(
                        "m meter.calls.success",
                        "m meter.calls.failure",
                        "m meter.calls.throttled",
                        "m meter.calls.not.sent",
                        "m meter.calls.refused",
                        "m meter.calls.ignored",
                        "m meter.in.flight");
    }

    @Test
    void reasons_of_refusals_are_words_and_bounded() {
        assertThat(RefusalReasons.reason("BulkheadFullException")).isEqualTo("bulkhead_full");
        assertThat(RefusalReasons.reason("Zurückgewiesen")).isEqualTo("other");
        assertThat(RefusalReasons.reason("")).isEqualTo("other");
        assertThat(RefusalReasons.reason("DeadlineExpiredException")).isEqualTo("deadline_expired");
    }

    @Test
    void it_is_a_meter_by_kind_and_in_a_pipeline() {
        assertThat(meter.kind().label()).isEqualTo("meter");
        assertThat(Pipeline.of(meter, Retry.of("r", environment))).hasToString("meter(retry(call))");
        assertThat(meter).hasToString("meter \"m\" 0 in flight");
    }

    @Test
    void bad_arguments_are_named() {
        assertThatThrownBy(() -> CallMeter.of(" ")).hasMessageContaining("name must not be blank");
        assertThatThrownBy(() -> CallMeter.of("m", config -> config.outcomes(null)))
                .isInstanceOf(NullPointerException.class)
                .hasMessage("meter \"m\": outcomes");
        assertThatThrownBy(() -> CallMeter.of("m", config -> config.objective(Objective.of(1))))
                .hasMessage("meter \"m\": target must be more than 0 and less than 1, but was 1.0");
        assertThatThrownBy(() -> meter.successes().read(null)).hasMessage("into");
        assertThatThrownBy(() -> meter.ended(null)).hasMessage("ending");
        CallMeterConfig config = CallMeterConfig.builder()
                .outcomes(OutcomeRule.failures(IOException.class))
                .objective(Objective.of(0.5))
                .build();
        assertThat(config.toBuilder().build()).usingRecursiveComparison().isEqualTo(config);
    }
}
